// Foreign files in a replica are moved aside, never removed: they may be somebody's only copy.
import { lstat, mkdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { LockstepError } from "../../errors.ts";
import { STATE_DIR } from "../root/root-record.ts";

/** A directory in the root's own directory. It has one directory for each repository, named by its id. */
const FOREIGN = "foreign";

/** Returns a new place for the foreign files of a replica. Nothing is made there until a file is moved. */
export function placeAside(root: string, repositoryId: string): string {
  return join(root, STATE_DIR, FOREIGN, repositoryId, new Date().toISOString().replace(/\W/g, ""));
}

/**
 * Moves the entry `name` (bytes as latin1 text) of the replica to the same name below `aside`. Returns false when the
 * entry does not exist. Throws NOT_A_REPOSITORY when it cannot be moved.
 */
export async function setAside(gitDir: string, name: string, aside: string): Promise<boolean> {
  const from = inside(gitDir, name);
  if (!(await lstat(from).catch(() => undefined))) return false;
  const to = inside(aside, name);
  try {
    await mkdir(inside(aside, dirname(name)), { recursive: true });
    await rename(from, to);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw new LockstepError(
      "NOT_A_REPOSITORY",
      `${from} is in the way and cannot be moved to ${to} (${(cause as Error).message}); move it out of the repository.`,
      { cause, details: { path: from.toString() } },
    );
  }
  return true;
}

/** Returns the path of an entry as bytes. The directory is text; `name` is bytes as latin1 text. */
export function inside(directory: string, name: string): Buffer {
  return Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(name, "latin1")]);
}
