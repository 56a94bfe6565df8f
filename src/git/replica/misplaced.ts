// A replica that lies where another one belongs (directories were moved by hand, a repository was renamed). It may be the only copy of
// what it holds, so it is never removed: it lies aside until its own repository is looked for.
import { join } from "node:path";
import { exists, moveDirectory } from "../../io/disk.ts";
import { doubtReplicaRecord } from "../root/root-record.ts";

/** Below the root's own directory; each one there is under the id of its repository. */
const MISPLACED = "misplaced";

function placeOf(stateDir: string, repositoryId: string): string {
  return join(stateDir, MISPLACED, `${repositoryId}.git`);
}

/** Moves what is at `gitDir`, a replica of the repository `repositoryId`, aside, and returns where it is then. */
export async function moveAside(gitDir: string, stateDir: string, repositoryId: string): Promise<string> {
  let to = placeOf(stateDir, repositoryId);
  // One that lies there already is another copy, and stays too.
  if (await exists(to)) to = `${to}.${Date.now()}`;
  await moveDirectory(gitDir, to);
  return to;
}

/** Brings a replica back that was moved aside, to where it belongs and nothing is; false: there is none. */
export async function takeBack(gitDir: string, stateDir: string, repositoryId: string): Promise<boolean> {
  const from = placeOf(stateDir, repositoryId);
  if (!(await exists(from))) return false;
  await moveDirectory(from, gitDir);
  // Whoever moved it may have done more.
  await doubtReplicaRecord(gitDir);
  return true;
}

/** Whether a replica of the repository lies aside. */
export async function liesAside(stateDir: string, repositoryId: string): Promise<boolean> {
  return await exists(placeOf(stateDir, repositoryId));
}
