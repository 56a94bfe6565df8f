// Files of a replica that make git see another history than its objects have, or objects that are not in it. Nothing of ours makes them: a
// person did, or `git fetch --depth` on live files.
import { mkdir, rename } from "node:fs/promises";
import { basename, join } from "node:path";
import { exists, sync } from "../../io/disk.ts";

/** With it a replica rests on a directory that nobody syncs, checks or keeps. */
export const ALTERNATES = "objects/info/alternates";
/** With these, which our own gits do not follow, a front end's git takes what is missing for the beginning of history. */
const HISTORY = ["shallow", "info/grafts"];

/** Those that are there, by their path in the replica. */
export async function findBeside(gitDir: string): Promise<string[]> {
  const there = await Promise.all([...HISTORY, ALTERNATES].map((name) => exists(join(gitDir, name))));
  return [...HISTORY, ALTERNATES].filter((_, index) => there[index]);
}

/** Moves the files that change history out of a replica to `to`; returns those that were there. */
export async function setHistoryAside(gitDir: string, to: string): Promise<string[]> {
  const found = (await findBeside(gitDir)).filter((name) => name !== ALTERNATES);
  await setAside(gitDir, found, to);
  return found;
}

/** Moves files out of a replica, durably, beside what was moved there before. */
export async function setAside(gitDir: string, names: readonly string[], to: string): Promise<void> {
  if (names.length === 0) return;
  await mkdir(to, { recursive: true });
  for (const name of names) {
    const path = join(to, basename(name));
    await rename(join(gitDir, name), (await exists(path)) ? `${path}.${Date.now()}` : path);
    await sync(join(gitDir, name, ".."));
  }
}
