// Reads the symbolic refs of a reftable (git's Documentation/technical/reftable). When git lists refs, it follows a
// chain of symbolic refs to its end and omits chains that lead nowhere. No command of git 2.45 to 2.55 does otherwise,
// so this code reads the tables.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { nameFromLatin1, type RefName, type SymbolicValue, symbolicTo } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";

/** A table that disappears during the read was compacted by some git. The new list names the compacted table. */
const TRIES = 10;
const FOOTER = { 1: 68, 2: 72 } as const;
const HEADER = { 1: 24, 2: 28 } as const;
/**
 * The type of a record: 0 deleted, 1 an object id, 2 two ids (of an annotated tag and its target), 3 another ref's
 * name.
 */
const SYMBOLIC = 3;

/**
 * Returns all symbolic refs of the repository, HEAD among them. Costs a walk over all refs. Throws GIT_FAILED for a
 * file that is not a table.
 */
export async function readSymbolicRecords(gitDir: string): Promise<Map<RefName, SymbolicValue>> {
  const found = new Map<string, string>();
  for (const table of await readTables(join(gitDir, "reftable"))) {
    for (const { name, target } of recordsOf(table)) {
      if (target === undefined) found.delete(name);
      else found.set(name, target);
    }
  }
  return new Map([...found].map(([name, target]) => [nameFromLatin1(name), symbolicTo(nameFromLatin1(target))]));
}

/** Returns the tables of the stack, oldest first. */
async function readTables(directory: string): Promise<Buffer[]> {
  for (let left = TRIES; ; left -= 1) {
    const list = await readFile(join(directory, "tables.list"), "utf8");
    try {
      return await Promise.all(
        list
          .split("\n")
          .filter(Boolean)
          .map((name) => readFile(join(directory, name))),
      );
    } catch (error) {
      const isGone = (error as NodeJS.ErrnoException).code === "ENOENT";
      if (!isGone || left === 1) throw error;
    }
  }
}

interface RefRecord {
  readonly name: string;
  /** undefined: the ref is not symbolic, or deleted. */
  readonly target: string | undefined;
}

function* recordsOf(table: Buffer): Generator<RefRecord> {
  const version = table[4];
  if (table.toString("latin1", 0, 4) !== "REFT" || (version !== 1 && version !== 2)) throw notATableError();
  const blockSize = table.readUIntBE(5, 3);
  const isSha256 = version === 2 && table.toString("latin1", 24, 28) === "s256";
  const end = table.length - FOOTER[version];
  // The footer begins with a copy of the header. Without it the table was not written to its end.
  if (end < HEADER[version] || !table.subarray(0, 24).equals(table.subarray(end, end + 24))) throw notATableError();
  // The refs come first. The first block's length includes the header.
  for (let start = 0; start < end; ) {
    const at = start === 0 ? HEADER[version] : start;
    if (table[at] !== "r".charCodeAt(0)) return;
    const length = table.readUIntBE(at + 1, 3);
    if (length <= at - start + 4 || start + length > end) throw notATableError();
    const block = table.subarray(start, start + length);
    const restarts = block.readUInt16BE(length - 2);
    yield* recordsIn(block.subarray(0, length - 2 - 3 * restarts), at - start + 4, isSha256 ? 32 : 20);
    // Blocks are padded with zeros, unless a block is longer than usual or the table was written without padding.
    const isPadded = blockSize > length && table[start + length] === 0;
    start += isPadded ? blockSize : length;
  }
}

function* recordsIn(block: Buffer, begin: number, idBytes: number): Generator<RefRecord> {
  let at = begin;
  let previous = "";
  const varint = (): number => {
    let byte = byteAt(block, at++);
    let value = byte & 0x7f;
    while (byte & 0x80) {
      byte = byteAt(block, at++);
      value = (value + 1) * 128 + (byte & 0x7f);
    }
    return value;
  };
  const text = (length: number): string => {
    if (at + length > block.length) throw notATableError();
    at += length;
    return block.toString("latin1", at - length, at);
  };
  while (at < block.length) {
    const shared = varint();
    const suffix = varint();
    const name = previous.slice(0, shared) + text(Math.floor(suffix / 8));
    // Skips the index of the update that wrote the record.
    varint();
    const type = suffix % 8;
    const target = type === SYMBOLIC ? text(varint()) : undefined;
    if (type > SYMBOLIC) throw notATableError();
    if (type < SYMBOLIC) at += type * idBytes;
    yield { name, target };
    previous = name;
  }
}

function byteAt(block: Buffer, at: number): number {
  const byte = block[at];
  if (byte === undefined) throw notATableError();
  return byte;
}

function notATableError(): LockstepError {
  return new LockstepError("GIT_FAILED", "A reftable is unreadable; run `git refs verify` in its repository.");
}
