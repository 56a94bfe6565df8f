// Reads the multi-pack-index of a replica: one index, with one bitmap, over the packs that it lists.
import { open } from "node:fs/promises";
import { join } from "node:path";
import { unlessFault } from "../../io/disk.ts";

export const MULTI_PACK_INDEX = "multi-pack-index";

const HEADER_BYTES = 12;
const CHUNK_ROW_BYTES = 12;
/** The identifier of the chunk with the names of the packs. */
const PACK_NAMES = "PNAM";

/**
 * Returns the packs that the multi-pack-index of `directory` (`objects/pack`) lists, by names such as `pack-1234`.
 * Empty when there is none, or when it is damaged: then git cannot use it either.
 */
export async function listedPacks(directory: string): Promise<Set<string>> {
  const file = await open(join(directory, MULTI_PACK_INDEX), "r").catch(unlessFault);
  if (file === undefined) return new Set();
  try {
    const read = async (length: number, position: number) =>
      (await file.read(Buffer.alloc(length), 0, length, position)).buffer;
    const header = await read(HEADER_BYTES, 0);
    if (header.toString("latin1", 0, 4) !== "MIDX") return new Set();
    const chunks = header.readUInt8(6);
    const table = await read((chunks + 1) * CHUNK_ROW_BYTES, HEADER_BYTES);
    for (let row = 0; row < chunks * CHUNK_ROW_BYTES; row += CHUNK_ROW_BYTES) {
      if (table.toString("latin1", row, row + 4) !== PACK_NAMES) continue;
      const start = Number(table.readBigUInt64BE(row + 4));
      const end = Number(table.readBigUInt64BE(row + CHUNK_ROW_BYTES + 4));
      if (end <= start || end > (await file.stat()).size) return new Set();
      const names = (await read(end - start, start)).toString("latin1").split("\0");
      return new Set(names.filter(Boolean).map((name) => name.replace(/\.idx$/, "")));
    }
    return new Set();
  } finally {
    await file.close();
  }
}
