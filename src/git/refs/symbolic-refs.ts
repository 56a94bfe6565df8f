// Symbolic refs, HEAD among them. Their names and targets are bytes, and Node passes only text as arguments: they are read from what git
// prints, and written as git does it (its refs/files-backend.c), or by update-ref, which takes them on standard input.
import { mkdir, open, readdir, readFile, rename, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import {
  displayRef,
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
import { isReftable, refPath } from "../../io/disk.ts";
import { type GitContext, git, gitBytes } from "../process.ts";
import { FOREIGN_LOCK_MS, findFiles, sweepLocks } from "./stale-locks.ts";

/** What HEAD holds: the name of another ref, or an object id when detached. null: nothing that git can read. */
export async function readHead(context: GitContext, gitDir: string): Promise<RefValue | null> {
  const target = await symbolicHead(context, gitDir, "--no-recurse");
  if (target !== undefined) return symbolicTo(target);
  const detached = await git(context, gitDir, ["rev-parse", "--verify", "--quiet", "HEAD"]);
  return detached.exitCode === 0 ? valueFromLatin1(detached.stdout.trim()) : null;
}

/** The branch that HEAD stands for, over any number of other symbolic refs; undefined when it is detached. */
export async function currentBranch(context: GitContext, gitDir: string): Promise<RefName | undefined> {
  return await symbolicHead(context, gitDir, "--recurse");
}

async function symbolicHead(
  context: GitContext,
  gitDir: string,
  how: "--recurse" | "--no-recurse",
): Promise<RefName | undefined> {
  const args = ["symbolic-ref", "--quiet", how, "HEAD"];
  const { exitCode, stdout } = await gitBytes(context, gitDir, args, { expected: [0, 1, 128] });
  return exitCode === 0 ? nameFromLatin1(stdout.toString("latin1").replace(/\n$/, "")) : undefined;
}

/** A ref's file, but for a lock. */
const REF = /(?<!\.lock)$/;

/**
 * The symbolic refs below refs/, but for those below refs/lockstep/ and those in `others`, with the refs that they name, whether those are
 * there or not. Of a reftable git tells less: nothing is returned. Costs a walk over the names of all refs that are not packed.
 */
export async function readSymbolicRefs(
  gitDir: string,
  others: ReadonlySet<RefName>,
): Promise<Map<RefName, SymbolicValue>> {
  const found = new Map<RefName, SymbolicValue>();
  if (isReftable(gitDir)) return found;
  for (const path of await findFiles(Buffer.from(join(gitDir, "refs")), REF)) {
    const name = nameFromBytes(path.subarray(Buffer.byteLength(gitDir) + 1));
    if (others.has(name) || isBelow(name, PRIVATE_REFS)) continue;
    const content = await readFile(path, "latin1").catch(() => "");
    const target = /^ref:\s*(\S.*?)\s*$/.exec(content)?.[1];
    if (target !== undefined) found.set(name, symbolicTo(nameFromLatin1(target)));
  }
  return found;
}

/** Makes a ref symbolic. Its directory is the caller's to sync, who holds the replica's mutex. Throws GIT_FAILED. */
export async function setSymbolicRef(
  context: GitContext,
  gitDir: string,
  name: RefName,
  value: SymbolicValue,
): Promise<void> {
  if (!isReftable(gitDir)) {
    while (!(await writeSymbolicRef(refPath(gitDir, name), value))) {
      // A lock that is old is what some killed git left.
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

/** Under git's lock, and synced before it is in its place: without HEAD nothing here is a repository. False: it is locked. */
async function writeSymbolicRef(path: Buffer, value: SymbolicValue): Promise<boolean> {
  const lock = Buffer.concat([path, Buffer.from(".lock")]);
  await mkdir(path.subarray(0, path.lastIndexOf("/")), { recursive: true });
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
    // A directory without files is what deleted refs leave.
    await removeEmptyDirectories(path);
    await rename(lock, path);
    return true;
  } catch (error) {
    await rm(lock, { force: true });
    throw error;
  }
}

/** Removes a directory and those below it, as long as there is no file in them; does nothing to a file. */
async function removeEmptyDirectories(path: Buffer): Promise<void> {
  const names = await readdir(path, { encoding: "buffer" }).catch(() => undefined);
  if (names === undefined) return;
  for (const name of names) await removeEmptyDirectories(Buffer.concat([path, Buffer.from("/"), name]));
  await rmdir(path).catch(() => {});
}
