// Finds the file system of a directory: if it is not mounted, the directory looks new and empty.
import type { Stats } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { STATE_DIR } from "./root-record.ts";

/** A directory and the file system that holds it. */
export interface Place {
  /** The directory where the file system begins. */
  readonly mount: string;
  /** True when that is the directory itself. */
  readonly mounted: boolean;
  /** Device and inode of the directory; undefined when it does not exist. */
  readonly place: string | undefined;
}

/** Returns the place of `path`, or, if `path` does not exist, where it would be made. */
export async function whereIs(path: string): Promise<Place> {
  let there = path;
  let found = await statIfThere(there);
  while (found === undefined) {
    there = dirname(there);
    found = await statIfThere(there);
  }
  const real = await realpath(there);
  let mount = real;
  while (dirname(mount) !== mount && (await stat(dirname(mount))).dev === found.dev) mount = dirname(mount);
  if (there !== path) return { mount, mounted: false, place: undefined };
  return { mount, mounted: mount === real, place: `${found.dev} ${found.ino}` };
}

/** Returns the state of the file at `path`, or undefined if nothing is there. */
async function statIfThere(path: string): Promise<Stats | undefined> {
  return await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" && dirname(path) !== path) return undefined;
    throw error;
  });
}

/**
 * Returns true when `path` has no trace of a root: no record of a sidecar, and no directory that could hold a
 * repository.
 */
export async function holdsNothing(path: string): Promise<boolean> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  // mkfs makes lost+found.
  return entries.every((each) => each.name !== STATE_DIR && (!each.isDirectory() || each.name === "lost+found"));
}
