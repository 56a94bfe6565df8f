// Symbolic refs, HEAD among them. Their names and targets are bytes, but Node passes only text as arguments. So they
// are read from git's output. They are written as git writes them (refs/files-backend.c), or by update-ref from
// standard input.
import { open, readdir, readFile, rename, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import {
  displayRef,
  HEAD,
  isBelow,
  nameFromBytes,
  nameFromLatin1,
  PRIVATE_REFS,
  type RefName,
  type RefValue,
  type SymbolicValue,
  symbolicTo,
  targetOf,
  toBytes,
  toLatin1,
  valueFromLatin1,
} from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { isReftable, makeDirectoryBelow, refPath, textOf } from "../../io/disk.ts";
import type { LocalArguments } from "../command/operations.ts";
import { type GitContext, gitBytes } from "../process.ts";
import { readSymbolicRecords } from "./reftable.ts";
import { FOREIGN_LOCK_MS, findFiles, sweepLocks } from "./stale-locks.ts";

/** The longest chain of symbolic refs that git follows. */
export const SYMBOLIC_HOPS = 5;

/** Returns the value of HEAD: the name of another ref, or an object id when detached. null: HEAD is unreadable. */
export async function readHead(context: GitContext, gitDir: string): Promise<RefValue | null> {
  const plain = isReftable(gitDir) ? undefined : await readPlainHead(gitDir);
  if (plain !== undefined) return plain;
  const target = await symbolicHead(context, gitDir, "--no-recurse");
  if (target !== undefined) return symbolicTo(target);
  const question: LocalArguments = ["rev-parse", "--verify", "--quiet", "HEAD"];
  const detached = await gitBytes(context, gitDir, question, { expected: [0, 1, 128] });
  if (detached.exitCode === 0) return valueFromLatin1(detached.stdout.toString("latin1").trim());
  // git reads no target that is longer than a path may be, or that is not a valid ref name.
  if (isReftable(gitDir)) return (await readSymbolicRecords(gitDir)).get(HEAD) ?? null;
  return (await readSymbolicFile(refPath(gitDir, HEAD))) ?? null;
}

/** Matches what git writes into HEAD, with a name in which no part begins with a dot or needs a closer look. */
const PLAIN_HEAD = /^ref: (refs(?:\/[\w+-][\w.+-]*)+)\n$/;

/** Returns the value of a HEAD as git writes it, which saves a git. undefined: git must say. */
async function readPlainHead(gitDir: string): Promise<SymbolicValue | undefined> {
  const target = PLAIN_HEAD.exec(await readFile(join(gitDir, "HEAD"), "latin1").catch(() => ""))?.[1];
  if (target === undefined || /\.\.|\.(lock)?(\/|$)/.test(target)) return undefined;
  return symbolicTo(nameFromLatin1(target));
}

/** Returns the branch at the end of HEAD's chain of symbolic refs; undefined when HEAD is detached. */
export async function currentBranch(context: GitContext, gitDir: string): Promise<RefName | undefined> {
  return await symbolicHead(context, gitDir, "--recurse");
}

async function symbolicHead(
  context: GitContext,
  gitDir: string,
  how: "--recurse" | "--no-recurse",
): Promise<RefName | undefined> {
  const args: LocalArguments = ["symbolic-ref", "--quiet", how, "HEAD"];
  const { exitCode, stdout } = await gitBytes(context, gitDir, args, { expected: [0, 1, 128] });
  return exitCode === 0 ? nameFromLatin1(stdout.toString("latin1").replace(/\n$/, "")) : undefined;
}

/** Matches the name of a ref's file, but not of a lock. */
const REF = /(?<!\.lock)$/;

/**
 * Returns the symbolic refs below refs/ with their targets, except those below refs/lockstep/ and those in `others`. A
 * target need not exist. Costs a walk over the names of all loose refs, or over a whole reftable.
 */
export async function readSymbolicRefs(
  gitDir: string,
  others: ReadonlySet<RefName>,
): Promise<Map<RefName, SymbolicValue>> {
  const isWanted = (name: RefName) => isBelow(name, "refs/") && !others.has(name) && !isBelow(name, PRIVATE_REFS);
  if (isReftable(gitDir)) return new Map([...(await readSymbolicRecords(gitDir))].filter(([name]) => isWanted(name)));
  const found = new Map<RefName, SymbolicValue>();
  for (const path of await findFiles(Buffer.from(join(gitDir, "refs")), REF)) {
    const name = nameFromBytes(path.subarray(Buffer.byteLength(gitDir) + 1));
    const value = isWanted(name) ? await readSymbolicFile(path) : undefined;
    if (value !== undefined) found.set(name, value);
  }
  return found;
}

async function readSymbolicFile(path: Buffer): Promise<SymbolicValue | undefined> {
  const content = await textOf(path, "latin1");
  const target = /^ref:\s*(\S.*?)\s*$/.exec(content)?.[1];
  return target === undefined ? undefined : symbolicTo(nameFromLatin1(target));
}

/**
 * Returns for each name the ref at the end of its chain; a name that is not symbolic maps to itself. Leaves out names
 * whose chain has no end. For a reftable it costs a walk over all refs.
 */
export async function followSymbolicRefs(gitDir: string, names: Iterable<RefName>): Promise<Map<RefName, RefName>> {
  const all = isReftable(gitDir) ? await readSymbolicRecords(gitDir) : undefined;
  const ends = new Map<RefName, RefName>();
  for (const name of names) {
    let at = name;
    for (let hop = 0; hop <= SYMBOLIC_HOPS; hop += 1) {
      const value = all === undefined ? await readSymbolicFile(refPath(gitDir, at)) : all.get(at);
      if (value === undefined) {
        ends.set(name, at);
        break;
      }
      at = targetOf(value);
    }
  }
  return ends;
}

/** Makes a ref symbolic. The caller holds the replica's mutex and syncs the directory afterwards. Throws GIT_FAILED. */
export async function setSymbolicRef(
  context: GitContext,
  gitDir: string,
  name: RefName,
  value: SymbolicValue,
): Promise<void> {
  if (!isReftable(gitDir)) {
    while (!(await writeSymbolicRef(gitDir, name, value))) {
      // An old lock was left by a killed git.
      if ((await sweepLocks(gitDir, FOREIGN_LOCK_MS)).length > 0) continue;
      throw new LockstepError(
        "GIT_FAILED",
        `Another git process holds the lock of ${displayRef(name)} in ${gitDir}; wait until it has ended, and try again.`,
      );
    }
    return;
  }
  const command = `symref-update ${toLatin1(name)}\0${toLatin1(targetOf(value))}\0\0`;
  const input = Buffer.from(command, "latin1");
  await gitBytes(context, gitDir, ["update-ref", "--no-deref", "--stdin", "-z"], { input, writes: true });
}

/**
 * Writes the file under git's lock, and syncs it before the rename: without HEAD the directory is not a repository.
 * Returns false when it is locked.
 */
async function writeSymbolicRef(gitDir: string, name: RefName, value: SymbolicValue): Promise<boolean> {
  const path = refPath(gitDir, name);
  const lock = Buffer.concat([path, Buffer.from(".lock")]);
  const parent = toBytes(name).subarray(0, Math.max(0, toBytes(name).lastIndexOf("/")));
  if (parent.length > 0) await makeDirectoryBelow(gitDir, parent);
  const file = await open(lock, "wx").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "EEXIST") return undefined;
    throw error;
  });
  if (file === undefined) return false;
  try {
    try {
      await file.writeFile(Buffer.concat([toBytes(value), Buffer.from("\n")]));
      await file.sync();
    } finally {
      await file.close();
    }
    // Deleted refs leave directories without files.
    await removeEmptyDirectories(path);
    await rename(lock, path);
    return true;
  } catch (error) {
    await rm(lock, { force: true });
    throw error;
  }
}

/** Removes a directory and those below it if they hold no files. Does nothing to a file. */
async function removeEmptyDirectories(path: Buffer): Promise<void> {
  const names = await readdir(path, { encoding: "buffer" }).catch(() => undefined);
  if (names === undefined) return;
  for (const name of names) await removeEmptyDirectories(Buffer.concat([path, Buffer.from("/"), name]));
  await rmdir(path).catch(() => {});
}
