// Catch-up (follow-log.ts) for all who need it: one flight per replica, which whoever comes joins; after a failure a moment's rest.
import { setTimeout as sleep } from "node:timers/promises";
import type { Version } from "../../domain.ts";
import { describe, firstError, LockstepError } from "../../errors.ts";
import { diskError } from "../../io/disk-errors.ts";
import { linkSignals } from "../../io/signals.ts";
import { recordFailure } from "../../store/record-replica.ts";
import type { SyncContext } from "../device/context.ts";
import type { CatchUpProgress, Course, Replica } from "../device/replica.ts";
import { tellFailure } from "../lease/outage.ts";
import { outOfServiceError } from "../replica/out-of-service.ts";
import { followLog } from "./follow-log.ts";

/** Waiters per replica; beyond it callers are told to come back, so that a stuck catch-up does not collect them without end. */
const WAITING_LIMIT = 1_000;
/** Pauses before a catch-up starts over. */
const START_OVER_MS = 100;
const BUSY_MS = [100, 200, 400, 800, 1_600];
/** A flight in which nothing has moved for so long is given up. The steps that wait for others have shorter limits of their own. */
const MOTIONLESS_MS = 180_000;
const BACK_OFF_MS = 250;
const BACK_OFF_LIMIT_MS = 10_000;

export interface CatchUpOptions {
  /** The caller's patience; the flight itself goes on for the others. */
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: CatchUpProgress) => void;
  /** Ask this device first. */
  readonly from?: string;
  /** Try even if the last attempt failed a moment ago. */
  readonly insist?: boolean;
}

/**
 * Returns when this replica has applied at least `wanted`: its version then. Joins the flight under way, or starts one. A failure
 * reaches all who wait and is repeated to newcomers until its back-off has passed. Throws QUEUE_FULL, CATCH_UP_TIMEOUT,
 * NO_SOURCE, NOT_A_REPOSITORY, AHEAD_OF_DATABASE, DATABASE_UNAVAILABLE.
 */
export async function catchUp(
  context: SyncContext,
  replica: Replica,
  wanted: Version,
  options: CatchUpOptions,
): Promise<Version> {
  // A write that has just landed here is about to reach the refs: cheaper to wait for than to look for elsewhere.
  if (replica.flight === undefined && replica.mutex.isLocked()) {
    await unlessAborted(replica.mutex.waitForUnlock(), replica, options.signal);
  }
  while (replica.applied === undefined || replica.applied < wanted) await joinFlight(context, replica, options);
  return replica.applied;
}

/** One catch-up to whatever the head is after this call, though nothing newer may be known. Throws what `catchUp` throws. */
export async function catchUpToHead(context: SyncContext, replica: Replica, options: CatchUpOptions): Promise<void> {
  // A flight that is under way may have read the head before this call.
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
  const deadline = setTimeout(() => link.abort(nothingMovedError(replica)), MOTIONLESS_MS);
  const onProgress = (progress: CatchUpProgress) => {
    deadline.refresh();
    for (const listener of listeners) listener(progress);
  };
  const done = fly(context, replica, { onProgress, signal: link.signal }, from).finally(() => {
    clearTimeout(deadline);
    link[Symbol.dispose]();
    replica.flight = undefined;
  });
  done.catch(() => {});
  return { done, listeners };
}

function nothingMovedError({ name }: Replica): LockstepError {
  const seconds = MOTIONLESS_MS / 1000;
  return new LockstepError(
    "CATCH_UP_TIMEOUT",
    `Nothing has moved in the catch-up of ${name} for ${seconds} s; see whether the disk of this device hangs, and try again.`,
    { details: { repository: name } },
  );
}

async function fly(context: SyncContext, replica: Replica, course: Course, from: string | undefined): Promise<void> {
  const startedAt = performance.now();
  const fromVersion = replica.applied ?? 0n;
  try {
    await replica.mutex.look();
    await followLogAgain(context, replica, course, from);
    replica.failure = undefined;
  } catch (thrown) {
    context.signal.throwIfAborted();
    const first: unknown = course.signal.aborted ? course.signal.reason : firstError(thrown);
    const error = diskError(first) ?? first;
    const count = (replica.failure?.count ?? 0) + 1;
    const backOff = Math.min(BACK_OFF_LIMIT_MS, BACK_OFF_MS * 2 ** Math.min(count - 1, 10));
    replica.failure = { error, until: performance.now() + backOff, count };
    const durationMs = performance.now() - startedAt;
    context.metrics.catchUpFailed();
    const line = { repository: replica.name, version: String(fromVersion), durationMs, err: describe(error) };
    if (error instanceof LockstepError && error.code === "DATABASE_UNAVAILABLE")
      tellFailure(context, error, "catch-up failed");
    else context.log.warn(line, "catch-up failed");
    const broken =
      error instanceof LockstepError && (error.code === "NOT_A_REPOSITORY" || error.code === "AHEAD_OF_DATABASE");
    const failure = { error: describe(error), broken, fromVersion, version: fromVersion, durationMs };
    await recordFailure(context.db, context.me, replica.id, failure).catch(() => {});
    throw error;
  }
}

/** What was wanted may have been forced away and pruned meanwhile, a connection broke, or everyone was busy: the head again, from the start. */
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
      // A part of the replica that is not there any more is made anew at the second try.
      const missing = replica.applied !== undefined && (await replica.mutex.lookForMissing());
      const pauses = code === "QUEUE_FULL" ? busy : code === "NO_SOURCE" || missing ? other : [];
      const pause = pauses.shift();
      if (pause === undefined) throw error;
      await sleep(pause, undefined, { signal: course.signal }).catch(() => {});
    }
  }
}
