// Notes which replicas have refs below refs/lockstep/, and on how many days each group of them was seen. The code that
// makes such refs makes the note first. So the sidecar need not look through all replicas for them.
import { existsSync, rmSync, statSync, utimesSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { makeDirectory, namesIn, replaceFile } from "../../io/disk.ts";

/** A directory in the root's own directory. It has one file for each repository, named by its id. */
const NOTES = "kept";
const DAY_MS = 24 * 60 * 60_000;

/** For each kept thing: on how many days it was seen, the last of them, and its size in bytes then. */
export type Seen = Readonly<Record<string, { readonly days: number; readonly last: string; readonly bytes?: number }>>;

function noteOf(stateDir: string, name: string): string {
  return join(stateDir, NOTES, name);
}

/** Notes durably that a replica may have refs that Lockstep keeps. Cheap if it is noted already. */
export async function noteKept(stateDir: string, repositoryId: string): Promise<void> {
  const note = noteOf(stateDir, repositoryId);
  // Without a wait between the two: `forgetKept` removes the note only if nobody has touched it for a day.
  if (existsSync(note)) return utimesSync(note, new Date(), new Date());
  await makeDirectory(join(stateDir, NOTES), 0o700);
  await replaceFile(note, "{}\n", 0o600);
}

/** Returns the names of the notes: ids of repositories, and others that `writeSeen` made. */
export async function listNotes(stateDir: string): Promise<string[]> {
  return (await namesIn(join(stateDir, NOTES))).filter((name) => !name.endsWith(".new"));
}

/** Returns what a note says; nothing if it cannot be read. */
export async function readSeen(stateDir: string, name: string): Promise<Seen> {
  try {
    return JSON.parse(await readFile(noteOf(stateDir, name), "utf8")) as Seen;
  } catch {
    return {};
  }
}

/** Writes durably when each kept ref of a replica was seen. `readSeen` reads it. */
export async function writeSeen(stateDir: string, name: string, seen: Seen): Promise<void> {
  await makeDirectory(join(stateDir, NOTES), 0o700);
  await replaceFile(noteOf(stateDir, name), `${JSON.stringify(seen)}\n`, 0o600);
}

/** Removes the note of a replica that has no such refs, unless it was made or touched within the last day. */
export function forgetKept(stateDir: string, name: string): void {
  const note = noteOf(stateDir, name);
  if (existsSync(note) && Date.now() - statSync(note).mtimeMs > DAY_MS) rmSync(note, { force: true });
}

/**
 * Counts a day for each thing that is there now, at most once for each date. So a clock that jumps ages nothing by more
 * than a day, and the time in which a device is off does not count.
 */
export function countDays(seen: Seen, things: Iterable<string>, today: string): Seen {
  const count = (thing: string) => {
    const known = seen[thing];
    if (known === undefined) return { days: 1, last: today };
    return known.last === today ? known : { days: known.days + 1, last: today };
  };
  return Object.fromEntries([...things].map((thing) => [thing, count(thing)]));
}
