// All writes that must survive power loss go through here. git syncs the contents of its files (core.fsync=all); this
// code syncs the directory entries.
import { execFile } from "node:child_process";
import { closeSync, constants, existsSync, fsync, openSync } from "node:fs";
import { lstat, mkdir, open, readdir, readFile, rename, rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { nameFromLatin1, type RefName, toBytes, toLatin1 } from "../domain.ts";
import { LockstepError } from "../errors.ts";

/**
 * Makes the entries of a directory, or the content of a file, durable. Does nothing when the path is gone. Only the
 * sync goes to a thread: to open and close costs some microseconds, and ten times as much by way of a thread.
 */
export async function sync(path: string | Buffer): Promise<void> {
  try {
    // Without O_NONBLOCK a named pipe that somebody put there would hold this process.
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      await promisify(fsync)(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    unlessAbsent(error as NodeJS.ErrnoException);
  }
}

/** Returns true when something is at `path`, even a broken symbolic link. Throws what `unlessFault` throws. */
export async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(unlessFault)) !== undefined;
}

/** This process or this machine lacks something. That says nothing about a file. */
const LACKING = ["EMFILE", "ENFILE", "ENOMEM"];
const FAULTS = [...LACKING, "EIO"];

/**
 * Throws an error that says nothing about the file, such as too many open files. Returns undefined for others: the file
 * is absent, of another kind or not readable for this user. A file in /proc is absent once its process has ended.
 */
export function unlessFault(error: NodeJS.ErrnoException): undefined {
  if (FAULTS.includes(error.code ?? "")) throw error;
}

/** As `unlessFault`, where a file that the disk cannot read (EIO) counts as damaged. */
export function unlessLacking(error: NodeJS.ErrnoException): undefined {
  if (LACKING.includes(error.code ?? "")) throw error;
}

/**
 * Returns the text of a small file; empty when it is absent or not readable. A named pipe that somebody put there is
 * empty too: otherwise its reader would wait for ever, and keep a thread. Throws what `unless` throws.
 */
export async function textOf(
  path: string | Buffer,
  encoding: "utf8" | "latin1" = "utf8",
  unless: (error: NodeJS.ErrnoException) => undefined = unlessFault,
): Promise<string> {
  const flag = constants.O_RDONLY | constants.O_NONBLOCK;
  return (await readFile(path, { encoding, flag }).catch(unless)) ?? "";
}

/** Returns undefined for an error that says that nothing is at the path. Throws others, such as missing rights. */
export function unlessAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
}

/** Returns the names in a directory; none when it is absent or not readable. Throws what `unlessFault` throws. */
export async function namesIn(directory: string): Promise<string[]> {
  return (await readdir(directory).catch(unlessFault)) ?? [];
}

/** Makes a directory and its missing parents, durably. */
export async function makeDirectory(path: string, mode?: number): Promise<void> {
  const made = await mkdir(resolve(path), { recursive: true, mode });
  // `made` is the topmost new directory: the path itself or one above it.
  for (let each = resolve(path); made !== undefined && each.startsWith(made); each = dirname(each))
    await sync(dirname(each));
}

/**
 * Makes a directory and its missing parents below `base`, durably. Fails where `base` is not there: somebody may have
 * moved it away, and whoever made it anew would occupy its place.
 */
export async function makeDirectoryBelow(base: string, path: string | Buffer): Promise<void> {
  const parts = Buffer.from(path).toString("latin1").split("/");
  let parent = Buffer.from(base);
  for (const part of parts) {
    const each = Buffer.concat([parent, Buffer.from(`/${part}`, "latin1")]);
    const isNew = await mkdir(each).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === "EEXIST") return false;
        throw error;
      },
    );
    if (isNew) await sync(parent);
    parent = each;
  }
}

/**
 * Moves a directory to a free place, durably. Otherwise a file system without a journal may find it at both places, and
 * keep one.
 */
export async function moveDirectory(from: string, to: string): Promise<void> {
  for (let again = true; ; again = false) {
    await makeDirectory(dirname(to));
    try {
      await rename(from, to);
      break;
    } catch (error) {
      // Another move may have removed the new parent of `to` while it was empty.
      if (!again || (error as NodeJS.ErrnoException).code !== "ENOENT" || !(await exists(from))) throw error;
    }
  }
  await sync(dirname(to));
  await sync(dirname(from));
}

/** Removes `directory` and its parents below `root`, as long as they are empty. */
export async function removeEmptyDirectories(directory: string, root: string): Promise<void> {
  for (let each = directory; each.startsWith(`${root}/`); each = dirname(each)) {
    const removed = await rmdir(each).then(
      () => true,
      () => false,
    );
    if (!removed) return;
  }
}

/** Makes `path` and all files and directories below it durable. */
export async function syncTree(path: string): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const below = join(path, entry.name);
    if (entry.isDirectory()) await syncTree(below);
    else if (entry.isFile()) await sync(below);
  }
  await sync(path);
}

/** Replaces the content of a file, durably: after power loss it has either the old or the new content. */
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

/** Makes new packs durable. This is the barrier before a write is decided. */
export async function syncObjects(gitDir: string): Promise<void> {
  await sync(join(gitDir, "objects", "pack"));
}

/**
 * Beyond this many refs git does not sync each one, which costs a tenth of a second per hundred. Instead, one sync of
 * the file system follows. Recovery repairs what power loss leaves: after a new boot it compares everything.
 */
const MANY_REFS = 256;

/** Returns true when git stores the refs of this repository as reftable. */
export function isReftable(gitDir: string): boolean {
  return existsSync(join(gitDir, "reftable"));
}

/**
 * Returns whether a git that changes `count` refs syncs them itself; if not, `syncRefs` does. For reftable it always
 * does, since that is one file.
 */
export function gitSyncsRefs(gitDir: string, count: number): boolean {
  return count <= MANY_REFS || isReftable(gitDir);
}

/**
 * Makes changed refs durable by syncing directories: those of loose refs, the repository's for packed-refs and HEAD, or
 * reftable's.
 */
export async function syncRefs(gitDir: string, names: ReadonlySet<RefName>): Promise<void> {
  if (!gitSyncsRefs(gitDir, names.size)) return await syncFileSystem(gitDir);
  if (isReftable(gitDir)) return await sync(join(gitDir, "reftable"));
  const directories = new Set([""]);
  for (const name of names) {
    for (let parent = dirname(toLatin1(name)); parent !== "."; parent = dirname(parent)) directories.add(parent);
  }
  await Promise.all([...directories].map(async (each) => await sync(refPath(gitDir, nameFromLatin1(each)))));
}

/** Returns where git stores a loose ref. The repository's path is text; the name of a ref is bytes. */
export function refPath(gitDir: string, name: RefName): Buffer {
  return Buffer.concat([Buffer.from(`${gitDir}/`), toBytes(name)]);
}

/** Makes everything durable that was written to the file system of `path`. Throws PREREQUISITE_MISSING. */
export async function syncFileSystem(path: string): Promise<void> {
  // Node has no syncfs; coreutils and busybox have it.
  await promisify(execFile)("sync", ["-f", path]).catch((cause: unknown) => {
    throw new LockstepError(
      "PREREQUISITE_MISSING",
      `The file system of ${path} could not be synced with "sync -f"; is it in order, and is coreutils installed?`,
      { cause },
    );
  });
}
