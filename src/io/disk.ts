// What must survive power loss goes through here: git syncs the contents of its files (core.fsync=all), the directory entries are ours.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { lstat, mkdir, open, readdir, rename } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { nameFromLatin1, type RefName, toBytes, toLatin1 } from "../domain.ts";
import { LockstepError } from "../errors.ts";

/** Makes the entries of a directory durable, or the content of a file. What is gone has nothing to lose. */
export async function sync(path: string | Buffer): Promise<void> {
  try {
    const handle = await open(path, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" && (error as NodeJS.ErrnoException).code !== "ENOTDIR")
      throw error;
  }
}

/** Whether something is at `path`; a symbolic link counts, wherever it leads. */
export async function exists(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}

/** The names in a directory; none where it cannot be read. */
export async function namesIn(directory: string): Promise<string[]> {
  return await readdir(directory).catch(() => []);
}

/** Makes a directory and those above it that are not there, durably. */
export async function makeDirectory(path: string, mode?: number): Promise<void> {
  const made = await mkdir(resolve(path), { recursive: true, mode });
  // What was made is the path itself, or one above it.
  for (let each = resolve(path); made !== undefined && each.startsWith(made); each = dirname(each))
    await sync(dirname(each));
}

/** Moves a directory to where nothing is, durably: a file system without a journal may else find it at both places, and choose. */
export async function moveDirectory(from: string, to: string): Promise<void> {
  await makeDirectory(dirname(to));
  await rename(from, to);
  await sync(dirname(to));
  await sync(dirname(from));
}

/** Makes all files and directories below `path` durable, and itself. */
export async function syncTree(path: string): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const below = join(path, entry.name);
    if (entry.isDirectory()) await syncTree(below);
    else if (entry.isFile()) await sync(below);
  }
  await sync(path);
}

/** Gives a file another content, durably: after power loss it has the one or the other. */
export async function replaceFile(path: string, content: string | Buffer, mode?: number): Promise<void> {
  const aside = `${path}.new`;
  const file = await open(aside, "w", mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(aside, path);
  await sync(dirname(path));
}

/** Makes new packs durable: the barrier before a write is decided. */
export async function syncObjects(gitDir: string): Promise<void> {
  await sync(join(gitDir, "objects", "pack"));
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
  if (isReftable(gitDir)) return await sync(join(gitDir, "reftable"));
  const directories = new Set([""]);
  for (const name of names) {
    for (let parent = dirname(toLatin1(name)); parent !== "."; parent = dirname(parent)) directories.add(parent);
  }
  await Promise.all([...directories].map(async (each) => await sync(refPath(gitDir, nameFromLatin1(each)))));
}

/** Where git stores a ref that is not packed: the repository's path is text, a ref's name is bytes. */
export function refPath(gitDir: string, name: RefName): Buffer {
  return Buffer.concat([Buffer.from(`${gitDir}/`), toBytes(name)]);
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
