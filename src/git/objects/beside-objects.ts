// Files of a replica that change the history that git sees, or that add objects from elsewhere. Lockstep makes none of
// them. A person did, or a `git fetch --depth` on live files.
import { mkdir, rename } from "node:fs/promises";
import { basename, join } from "node:path";
import { exists, sync } from "../../io/disk.ts";
import { ALTERNATES } from "../borrowing/borrowing.ts";

/**
 * With these files a front end's git takes the edge of missing history for its beginning. Lockstep's own git commands
 * ignore them.
 */
const HISTORY = ["shallow", "info/grafts"];

/** Returns those of the files that exist, by their path in the replica. */
export async function findBeside(gitDir: string): Promise<string[]> {
  const there = await Promise.all([...HISTORY, ALTERNATES].map((name) => exists(join(gitDir, name))));
  return [...HISTORY, ALTERNATES].filter((_, index) => there[index]);
}

/** Moves the files that change history out of a replica to `to`. Returns those that were there. */
export async function setHistoryAside(gitDir: string, to: string): Promise<string[]> {
  const found = (await findBeside(gitDir)).filter((name) => name !== ALTERNATES);
  await setFilesAside(gitDir, found, to);
  return found;
}

/**
 * Moves files out of a replica, durably, to the directory `to`. Files that are there already stay. Returns the new path
 * of each.
 */
export async function setFilesAside(
  gitDir: string,
  names: readonly string[],
  to: string,
): Promise<Map<string, string>> {
  const moved = new Map<string, string>();
  if (names.length === 0) return moved;
  await mkdir(to, { recursive: true });
  for (const name of names) {
    const path = join(to, basename(name));
    const free = (await exists(path)) ? `${path}.${Date.now()}` : path;
    await rename(join(gitDir, name), free);
    await sync(join(gitDir, name, ".."));
    moved.set(name, free);
  }
  return moved;
}
