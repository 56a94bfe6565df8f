// Gives a name to every step at which a crash may come, so that a test can aim at it. The test holds a process at a
// point. Meanwhile it kills that process, or another one that takes part. Without such a test, a point is a function
// call that returns.
import { existsSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** In the order in which they are passed. */
export const CRASH_POINTS = {
  /**
   * A push that git handed over. One that is decided at once does not pass `staged`. A session passes those from
   * `prepared` to `applied` too, after its caller said BumpVersion.
   */
  push: ["received", "staged", "prepared", "synced", "deciding", "decided", "committed", "applied", "reporting"],
  /**
   * A push that landed over versions which the disk does not have passes this in place of `committed` and `applied`.
   * The refs of the disk stay as they are, and a catch-up follows.
   */
  over: ["left"],
  /**
   * Each push that waits for the mutex, or gets it at once. Then the points of pushes that are decided together. They
   * pass these, `committed` and `applied` once for all.
   */
  group: ["waiting", "prepared", "deciding", "decided"],
  /**
   * Several devices must have the objects: the points on a device that fetches them, then the one on the device that is
   * pushed to.
   */
  copies: ["fetched", "kept", "made"],
  session: ["turn", "begun", "scratch", "taken", "landed", "kept"],
  /** An undo passes this one, then those of a push from `staged` to `applied`. */
  undo: ["renewed"],
  /** The further points of a session on the files of the replica itself. */
  live: ["noted", "moved"],
  "catch-up": ["planned", "arrived", "fetched", "applying", "renamed", "noted"],
  /**
   * A write deletes refs to make room for others (`topic` for `topic/a`): the old ones are gone from the disk, the new
   * ones not yet there. Then the sync of written refs, for which no push waits.
   */
  refs: ["cleared", "syncing"],
  /** The base of a log has moved, and its rows are still there. The days of kept refs are counted, before any goes. */
  retention: ["based", "noted"],
  recovery: ["swept", "compared", "forgotten"],
  /**
   * The adoption of a directory: its hook and settings are there; the database knows it; its refs were compared. Then a
   * late push that was found and is about to land.
   */
  adopt: ["taken-in", "recorded", "compared", "late"],
  /** A command of the queue: it was handed out; it has done its work; its outcome is recorded. */
  command: ["started", "performed", "ended"],
  /** The delivery of an event to a webhook. */
  hook: ["claimed", "delivering", "delivered", "recorded"],
  /** Garbage collection: the new packs are made; are in place; so is their index; old unreachable objects are to go. */
  gc: ["made", "packed", "indexed", "pruning"],
  /** A copy is given up: the database says so; its files are moved. */
  release: ["recorded", "moved"],
  /** The files of such a copy are freed: the database says so; nobody can take them back any more. */
  destroy: ["recorded", "doomed"],
  /**
   * A repository gets another name. On the device that was asked: the database has it. Then on each device: the
   * directory is about to move, has moved, and its place is recorded.
   */
  rename: ["decided", "moving", "moved", "noted"],
  /**
   * A repository is removed. On the device that was asked: the database has it. On its devices the points of `release`
   * and `destroy` follow. When it can be restored no more, some of its rows are deleted.
   */
  remove: ["decided", "purging"],
  /** It is restored. On the device that was asked: the database has it. On each device: its files are back. */
  restore: ["decided", "taken"],
} as const;

type Kind = keyof typeof CRASH_POINTS;
export type CrashPoint = { [K in Kind]: `${K}.${(typeof CRASH_POINTS)[K][number]}` }[Kind];

const POLL_MS = 5;
let directory: string | undefined;

/**
 * Sets the directory that holds processes at points. A point is held while `path` has a file of its name. Another file,
 * with `.reached` at its end, gets a byte whenever something is held there. undefined: no point is held.
 */
export function holdAtCrashPoints(path: string | undefined): void {
  directory = path;
}

/** Waits here while a test holds this point. */
export async function crashPoint(point: CrashPoint): Promise<void> {
  if (directory === undefined) return;
  const hold = join(directory, point);
  if (!existsSync(hold)) return;
  await appendFile(`${hold}.reached`, ".");
  while (existsSync(hold)) await sleep(POLL_MS);
}
