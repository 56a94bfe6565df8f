// What must survive power loss goes through here: git syncs the contents of its files (core.fsync=all), the directory entries are ours.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { type RefName, toBytes } from "../domain.ts";
import { LockstepError } from "../errors.ts";

/** Makes the entries of a directory durable. A directory that is gone has nothing to lose. */
export async function syncDirectory(path: string | Buffer): Promise<void> {
  try {
    const directory = await open(path, "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" && (error as NodeJS.ErrnoException).code !== "ENOTDIR")
      throw error;
  }
}

/** Makes new packs durable: the barrier before a write is decided. */
export async function syncObjects(gitDir: string): Promise<void> {
  await syncDirectory(join(gitDir, "objects", "pack"));
}

/**
 * Beyond so many refs git does not sync each one (a tenth of a second per hundred): one sync of the file system does it for all
 * of them afterwards. What power loss then leaves of the files, recovery finds: after a new boot it compares everything.
 */
const MANY_REFS = 256;

/** Whether git stores the refs of this repository as reftable. */
export function isReftable(gitDir: string): boolean {
  return existsSync(join(gitDir, "reftable"));
}

/** Whether a git that changes `count` refs is to sync what it writes; if not, `syncRefs` does. Of reftable that is one file. */
export function gitSyncsRefs(gitDir: string, count: number): boolean {
  return count <= MANY_REFS || isReftable(gitDir);
}

/** Makes changed refs durable: the directories of loose refs, the repository's own for packed-refs and HEAD, or reftable's. */
export async function syncRefs(gitDir: string, names: ReadonlySet<RefName>): Promise<void> {
  if (!gitSyncsRefs(gitDir, names.size)) return await syncFileSystem(gitDir);
  if (isReftable(gitDir)) return await syncDirectory(join(gitDir, "reftable"));
  const directories = new Set([""]);
  for (const name of names) {
    for (let parent = dirname(name); parent !== "."; parent = dirname(parent)) directories.add(parent);
  }
  // The repository's path is text, a ref's name is bytes.
  const paths = [...directories].map((each) => Buffer.concat([Buffer.from(`${gitDir}/`), toBytes(each)]));
  await Promise.all(paths.map(syncDirectory));
}

/** Makes everything durable that has been written to the file system of `path`. Throws PREREQUISITE_MISSING. */
export async function syncFileSystem(path: string): Promise<void> {
  // Node has no syncfs; coreutils and busybox have.
  await promisify(execFile)("sync", ["-f", path]).catch((cause: unknown) => {
    throw new LockstepError(
      "PREREQUISITE_MISSING",
      `The file system of ${path} could not be synced with "sync -f"; is it in order, and is coreutils installed?`,
      { cause },
    );
  });
}
