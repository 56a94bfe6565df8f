// In which file system a directory is: a directory whose file system is not mounted looks like a new and empty one.
import { readdir, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { STATE_DIR } from "./root-record.ts";

export interface Place {
  /** The directory where the file system begins. */
  readonly mount: string;
  /** That is the directory itself. */
  readonly mounted: boolean;
  /** Device and inode of the directory; undefined: it is not there. */
  readonly place: string | undefined;
}

/** Where `path` is, or would be made. */
export async function whereIs(path: string): Promise<Place> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" && dirname(path) !== path) return undefined;
    throw error;
  });
  if (found === undefined) return { ...(await whereIs(dirname(path))), mounted: false, place: undefined };
  const real = await realpath(path);
  let mount = real;
  while (dirname(mount) !== mount && (await stat(dirname(mount))).dev === found.dev) mount = dirname(mount);
  return { mount, mounted: mount === real, place: `${found.dev} ${found.ino}` };
}

/** Whether there is nothing of a root at `path`: neither what a sidecar notes there, nor anything that could hold a repository. */
export async function holdsNothing(path: string): Promise<boolean> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  // mkfs makes it.
  return entries.every((each) => each.name !== STATE_DIR && (!each.isDirectory() || each.name === "lost+found"));
}
