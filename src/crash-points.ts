// Every step at which a crash may come has a name, so that a test can aim at it: it holds a process there while it kills that process,
// or another one that takes part. Where no test asked for it a point is a function call that returns.
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** In the order in which they are passed. */
export const CRASH_POINTS = {
  /** A push that git handed over; a session whose caller said BumpVersion passes those from `prepared` to `applied` too. */
  push: ["received", "staged", "prepared", "synced", "deciding", "decided", "committed", "applied", "reporting"],
  /** Where several devices must have the objects: on one that fetches them, and back on the one that is pushed to. */
  copies: ["fetched", "kept", "made"],
  session: ["turn", "begun", "scratch", "taken", "landed", "kept"],
  /** Of a session on the files of the replica itself, besides. */
  live: ["noted", "moved"],
  "catch-up": ["planned", "arrived", "fetched", "applying", "renamed", "noted"],
  /** Where a write deletes refs to make room for others (`topic` for `topic/a`): they are gone from the disk, and the others not yet there. */
  refs: ["cleared"],
  recovery: ["swept", "compared", "forgotten"],
} as const;

type Kind = keyof typeof CRASH_POINTS;
export type CrashPoint = { [K in Kind]: `${K}.${(typeof CRASH_POINTS)[K][number]}` }[Kind];

const POLL_MS = 5;
let directory: string | undefined;

/** From now on a point is held as long as `path` has a file of its name; another one, ending in `.reached`, says that it is. undefined: none is. */
export function holdAtCrashPoints(path: string | undefined): void {
  directory = path;
}

/** Called at each point. */
export async function reach(point: CrashPoint): Promise<void> {
  if (directory === undefined) return;
  const hold = join(directory, point);
  if (!existsSync(hold)) return;
  await writeFile(`${hold}.reached`, "");
  while (existsSync(hold)) await sleep(POLL_MS);
}
