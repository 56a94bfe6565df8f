// Replicas that lie where another one belongs, because directories were moved by hand or a repository was renamed. Such
// a replica may be the only copy of its content, so it is never removed. It lies aside until Lockstep looks for its own
// repository.
import { join } from "node:path";
import { exists, moveDirectory } from "../../io/disk.ts";
import { doubtReplicaRecord } from "../root/root-record.ts";
import { moveToPlace } from "./place.ts";

/** A directory in the root's own directory. Its entries are named by the ids of their repositories. */
const MISPLACED = "misplaced";

/** Returns where a misplaced replica of the repository lies aside. */
export function misplacedPath(stateDir: string, repositoryId: string): string {
  return join(stateDir, MISPLACED, `${repositoryId}.git`);
}

/**
 * Moves the directory `gitDir`, a replica of `repositoryId`, aside. Returns its new path. undefined: it is not there
 * any more. Of two replicas that were exchanged, the other one may have moved it at the same moment.
 */
export async function setMisplacedAside(
  gitDir: string,
  stateDir: string,
  repositoryId: string,
): Promise<string | undefined> {
  let to = misplacedPath(stateDir, repositoryId);
  // A replica that lies there already is another copy, and stays too.
  if (await exists(to)) to = `${to}.${Date.now()}`;
  try {
    await moveDirectory(gitDir, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" && !(await exists(gitDir))) return undefined;
    throw error;
  }
  return to;
}

/** Moves a replica back from aside to the free place `gitDir`. Returns false when there is none. */
export async function takeMisplacedBack(gitDir: string, stateDir: string, repositoryId: string): Promise<boolean> {
  const from = misplacedPath(stateDir, repositoryId);
  if (!(await exists(from))) return false;
  await moveToPlace(from, gitDir);
  // The person who moved it may have changed it too.
  await doubtReplicaRecord(gitDir);
  return true;
}

/** Returns true when a replica of the repository lies aside. */
export async function isMisplaced(stateDir: string, repositoryId: string): Promise<boolean> {
  return await exists(misplacedPath(stateDir, repositoryId));
}
