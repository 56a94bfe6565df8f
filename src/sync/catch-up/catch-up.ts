// Runs catch-ups (follow-log.ts). At most one catch-up runs per replica. Later callers join it. After a failure it
// backs off.

import { setTimeout as sleep } from "node:timers/promises";
import type { Version } from "../../domain.ts";
import { describe, firstError, LockstepError } from "../../errors.ts";
import { wordsOfGit } from "../../git/git-error.ts";
import { diskError } from "../../io/disk-errors.ts";
import { linkSignals } from "../../io/signals.ts";
import { recordFailure } from "../../store/replica/record-replica.ts";
import { WAITS } from "../../waits.ts";
import type { SyncContext } from "../device/context.ts";
import { type CatchUpProgress, type Course, type Replica, UNRECORDED } from "../device/replica.ts";
import { tellFailure } from "../lease/tell-outage.ts";
import { outOfServiceError } from "../replica/out-of-service.ts";
import { followLog } from "./follow-log.ts";
import { limitFlight, nothingMovedError } from "./limit-flight.ts";

/**
 * How many callers may wait for one replica. Further callers are told to come back, so that a stuck catch-up does not
 * collect them without end.
 */
const WAITING_LIMIT = 1_000;
/** Pauses before a catch-up starts over, in milliseconds. */
const START_OVER_MS = 100;
const BUSY_MS = [100, 200, 400, 800, 1_600];

export interface CatchUpOptions {
  /** Aborts when the caller gives up. The catch-up goes on for the others. */
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: CatchUpProgress) => void;
  /** The device to ask first. */
  readonly from?: string;
  /** True: try even if the last attempt failed a moment ago. */
  readonly insist?: boolean;
}

/**
 * Returns the version of this replica as soon as it has applied at least `wanted`. Joins the catch-up under way, or
 * starts one. A failure reaches all waiters, and later callers too until its back-off has passed. Throws QUEUE_FULL,
 * CATCH_UP_TIMEOUT, NO_SOURCE, NOT_A_REPOSITORY, AHEAD_OF_DATABASE, DATABASE_UNAVAILABLE.
 */
export async function catchUp(
  context: SyncContext,
  replica: Replica,
  wanted: Version,
  options: CatchUpOptions,
): Promise<Version> {
  // A write that has just landed here is about to reach the refs. To wait for it is cheaper than to look for its
  // objects elsewhere.
  if (replica.flight === undefined && replica.mutex.isLocked()) {
    await unlessAborted(replica.mutex.waitForUnlock(), replica, options.signal);
  }
  while (replica.applied === undefined || replica.applied < wanted) await joinFlight(context, replica, options);
  return replica.applied;
}

/** Runs one catch-up to the head as of this call, even if no newer version is known. Throws what `catchUp` throws. */
export async function catchUpToHead(context: SyncContext, replica: Replica, options: CatchUpOptions): Promise<void> {
  // A catch-up that is under way may have read the head before this call.
  if (replica.flight) await joinFlight(context, replica, options);
  await joinFlight(context, replica, options);
}

async function joinFlight(context: SyncContext, replica: Replica, options: CatchUpOptions): Promise<void> {
  if (replica.waiting >= WAITING_LIMIT) {
    throw new LockstepError("QUEUE_FULL", `${WAITING_LIMIT} calls wait for ${replica.name} already; try again.`);
  }
  if (replica.outOfService) throw outOfServiceError(replica.name, replica.outOfService);
  const { failure } = replica;
  if (failure && !replica.flight && !options.insist && failure.until > performance.now()) throw failure.error;
  replica.flight ??= startFlight(context, replica, options.from);
  const { flight } = replica;
  if (options.onProgress) flight.listeners.add(options.onProgress);
  replica.waiting += 1;
  try {
    await unlessAborted(flight.done, replica, options.signal);
  } finally {
    replica.waiting -= 1;
    if (options.onProgress) flight.listeners.delete(options.onProgress);
  }
}

async function unlessAborted(done: Promise<void>, replica: Replica, signal: AbortSignal): Promise<void> {
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () =>
      reject(
        new LockstepError(
          "CATCH_UP_TIMEOUT",
          `The replica of ${replica.name} is still catching up; try again, it goes on meanwhile.`,
          {
            details: { repository: replica.name },
          },
        ),
      );
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    await Promise.race([done, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function startFlight(context: SyncContext, replica: Replica, from: string | undefined): NonNullable<Replica["flight"]> {
  const listeners = new Set<(progress: CatchUpProgress) => void>();
  const link = linkSignals([context.signal]);
  const deadline = setTimeout(() => link.abort(nothingMovedError(replica)), WAITS.motionlessMs);
  const onProgress = (progress: CatchUpProgress) => {
    deadline.refresh();
    for (const listener of listeners) listener(progress);
  };
  const limited = limitFlight(replica, link.abort);
  const done = fly(context, replica, { onProgress, signal: link.signal }, from).finally(() => {
    clearTimeout(deadline);
    limited[Symbol.dispose]();
    link[Symbol.dispose]();
    replica.flight = undefined;
  });
  done.catch(() => {});
  return { done, listeners, asking: new Set() };
}

async function fly(context: SyncContext, replica: Replica, course: Course, from: string | undefined): Promise<void> {
  const startedAt = performance.now();
  const fromVersion = replica.applied ?? 0n;
  // Objects that are here already are not fetched again.
  using _claim = await replica.objects.claim();
  try {
    await replica.mutex.look();
    await followLogAgain(context, replica, course, from);
    replica.failure = undefined;
  } catch (thrown) {
    context.signal.throwIfAborted();
    const first: unknown = course.signal.aborted ? course.signal.reason : firstError(thrown);
    const error = diskError(first) ?? first;
    const count = (replica.failure?.count ?? 0) + 1;
    const backOff = Math.min(WAITS.catchUpBackOffLimitMs, WAITS.catchUpBackOffMs * 2 ** Math.min(count - 1, 10));
    replica.failure = { error, until: performance.now() + backOff, count };
    const durationMs = performance.now() - startedAt;
    context.metrics.catchUpFailed();
    const line = { repository: replica.name, version: String(fromVersion), durationMs, err: describe(error) };
    if (error instanceof LockstepError && error.code === "DATABASE_UNAVAILABLE")
      tellFailure(context, error, "catch-up failed");
    else context.log.warn(line, "catch-up failed");
    const broken =
      error instanceof LockstepError &&
      ["NOT_A_REPOSITORY", "AHEAD_OF_DATABASE", "ADOPTION_REFUSED"].includes(error.code);
    const said = wordsOfGit(first);
    const failure = { error: describe(error), said, broken, fromVersion, version: fromVersion, durationMs };
    await recordFailure(context.db, context.me, replica.id, failure).catch(() => {});
    // The next success takes the failure out of the row, also if the version is the same.
    replica.recorded = UNRECORDED;
    throw error;
  }
}

/**
 * Follows the log, and starts over after some failures. The wanted objects may have been forced away and pruned
 * meanwhile, a connection may have broken, or all sources may be busy. Each try reads the head again.
 */
async function followLogAgain(
  context: SyncContext,
  replica: Replica,
  course: Course,
  from: string | undefined,
): Promise<void> {
  const busy = [...BUSY_MS];
  const other = [START_OVER_MS];
  for (;;) {
    try {
      return await followLog(context, replica, course, from);
    } catch (error) {
      const code = error instanceof LockstepError ? error.code : undefined;
      // If a part of the replica is missing, the second try makes it anew.
      const missing = replica.applied !== undefined && (await replica.mutex.lookForMissing());
      // REPLICA_IN_DOUBT: the directory was moved while git worked in it, by a rename or a restore.
      const again = missing || code === "NO_SOURCE" || code === "REPLICA_IN_DOUBT";
      const pauses = code === "QUEUE_FULL" ? busy : again ? other : [];
      const pause = pauses.shift();
      if (pause === undefined) throw error;
      await sleep(pause, undefined, { signal: course.signal }).catch(() => {});
    }
  }
}
