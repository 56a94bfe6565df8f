// What somebody put among the files of a replica is moved aside, never removed: it may be somebody's only copy.
import { lstat, mkdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { LockstepError } from "../../errors.ts";
import { STATE_DIR } from "../root/root-record.ts";

/** Below the root's own directory; each one there is under the id of its repository. */
const FOREIGN = "foreign";

/** A new place for what is found in a replica now. It is made when something is moved there. */
export function placeAside(root: string, repositoryId: string): string {
  return join(root, STATE_DIR, FOREIGN, repositoryId, new Date().toISOString().replace(/\W/g, ""));
}

/**
 * Moves what is at `name` in the replica, bytes as text, to the same name below `aside`; false: nothing is there. Throws
 * NOT_A_REPOSITORY when it cannot be moved.
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

/** A directory is named by text, what lies in it by bytes. */
export function inside(directory: string, name: string): Buffer {
  return Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(name, "latin1")]);
}
