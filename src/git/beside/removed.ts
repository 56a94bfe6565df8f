// The files of replicas that a device has given up. They are kept for some days below the root's own directory, and
// then freed. A replica that comes back to the device meanwhile takes them back.
import { readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { exists, moveDirectory, sync, unlessAbsent } from "../../io/disk.ts";
import { wasReplica } from "../replica/repository.ts";
import { doubtReplicaRecord } from "../root/root-record.ts";
import { moveToPlace } from "./place.ts";

/** A directory in the root's own directory. Its entries are named by the ids of their repositories. */
const REMOVED = "removed";
/** The end of the name of files that are being freed. Nobody takes them back. */
export const DOOMED = ".doomed";

/** Returns where the removed replica of a repository lies. */
export function removedPath(stateDir: string, repositoryId: string): string {
  return join(stateDir, REMOVED, `${repositoryId}.git`);
}

/**
 * Moves the replica of the repository at `gitDir` to the removed ones. Returns its new path; undefined: no replica of
 * this repository is there. Files that are something else stay. Throws if nobody can tell what is there, because rights
 * are missing: the caller would forget the place.
 */
export async function setRemovedAside(
  gitDir: string,
  stateDir: string,
  repositoryId: string,
): Promise<string | undefined> {
  if ((await readdir(gitDir).catch(unlessAbsent)) === undefined) return undefined;
  if (!(await wasReplica(gitDir, repositoryId))) return undefined;
  const to = removedPath(stateDir, repositoryId);
  // An older copy is freed with this one.
  if (await exists(to)) await moveDirectory(to, `${to}.${Date.now()}`);
  await moveDirectory(gitDir, to);
  return to;
}

/** Moves a removed replica back to the free place `gitDir`. Returns false when there is none. */
export async function takeRemovedBack(gitDir: string, stateDir: string, repositoryId: string): Promise<boolean> {
  const from = removedPath(stateDir, repositoryId);
  if (!(await exists(from))) return false;
  await moveToPlace(from, gitDir);
  await doubtReplicaRecord(gitDir);
  return true;
}

/**
 * Keeps the removed files of a repository from being taken back. Call it while nobody may take them. Returns the
 * directories to free, also those of an earlier call.
 */
export async function doomRemoved(stateDir: string, repositoryId: string): Promise<string[]> {
  const directory = join(stateDir, REMOVED);
  const doomed: string[] = [];
  for (const name of (await readdir(directory).catch(unlessAbsent)) ?? []) {
    if (!name.startsWith(`${repositoryId}.git`)) continue;
    const path = join(directory, name);
    doomed.push(name.endsWith(DOOMED) ? path : `${path}.${Date.now()}${DOOMED}`);
    if (path !== doomed.at(-1)) await rename(path, doomed.at(-1) as string);
  }
  if (doomed.length > 0) await sync(directory);
  return doomed;
}

/** Frees the directories that `doomRemoved` returned. */
export async function freeDoomed(paths: readonly string[]): Promise<void> {
  for (const path of paths) await rm(path, { recursive: true, force: true });
}
