// Stops writes for maintenance. First new writes are refused. Then the writes under way come to their end. Then staged
// writes are refused too, and nothing lands any more. A write that is being staged while the stop is made may be
// overlooked, but it comes too late to land.
import { setTimeout as sleep } from "node:timers/promises";
import { LockstepError } from "../../errors.ts";
import { listStaged, type Write } from "../../store/write/find-write.ts";
import { type StopTarget, stopNewWrites, stopStagedWrites, stopTargets } from "../../store/write/write-stops.ts";
import { settleWrite } from "../../store/write/writes.ts";
import type { SyncContext } from "../device/context.ts";

const LOOK_MS = 100;

export interface StopWrites {
  /** Empty: all repositories. */
  readonly repositories: readonly string[];
  readonly author: string;
  readonly reason: string;
  /** How long to wait for writes under way. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

/**
 * Returns when no write that was under way can land any more, with the writes that were dropped because nobody could
 * decide them. Calls `onProgress` with the writes that it waits for, at once and when they change. A repeated call goes
 * on waiting. If it fails after the first progress, new writes stay refused. Throws REPOSITORY_NOT_FOUND,
 * WRITES_UNDER_WAY, WRITES_NOT_STOPPED.
 */
export async function stopWrites(
  context: SyncContext,
  request: StopWrites,
  onProgress: (waitingFor: readonly Write[]) => void,
): Promise<Write[]> {
  const targets = await stopTargets(context.db, request.repositories);
  await stopNewWrites(context.db, targets, request);
  const ids = idsOf(targets);
  await untilDecided(context, ids, request, onProgress);
  await stopStagedWrites(context.db, targets);
  return await dropUndecided(context, ids, request.reason);
}

function idsOf(targets: readonly StopTarget[]): string[] | null {
  const ids = targets.filter((target) => target !== null);
  return ids.length === targets.length ? ids : null;
}

/** Waits for the writes that a live sidecar can still decide. */
async function untilDecided(
  context: SyncContext,
  repositoryIds: readonly string[] | null,
  { waitMs, signal }: StopWrites,
  onProgress: (waitingFor: readonly Write[]) => void,
): Promise<void> {
  const startedAt = performance.now();
  let told: string | undefined;
  for (;;) {
    const waitingFor = (await listStaged(context.db, repositoryIds)).filter(({ live }) => live);
    const ids = waitingFor.map(({ id }) => id).join();
    if (ids !== told) onProgress(waitingFor);
    told = ids;
    const [oldest] = waitingFor;
    if (oldest === undefined) return;
    context.signal.throwIfAborted();
    const waited = performance.now() - startedAt;
    if (signal.aborted || waited > waitMs) throw underWayError(oldest, waitingFor.length - 1, waited);
    await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
  }
}

/**
 * Settles the writes that are still staged, such as those of devices that are down. A staged write cannot land now,
 * unless its bump began before staged writes were refused. Settling waits for such a bump.
 */
async function dropUndecided(
  context: SyncContext,
  repositoryIds: readonly string[] | null,
  reason: string,
): Promise<Write[]> {
  const dropped: Write[] = [];
  for (const write of await listStaged(context.db, repositoryIds)) {
    const why = `writes were stopped (${reason}) before it was decided`;
    const settled = await settleWrite(context.db, context.me, { ...write, writeId: write.id }, why);
    if (settled.status === "dropped") dropped.push(write);
  }
  return dropped;
}

function underWayError({ id, repository, device, author, reason, startedAt }: Write, more: number, waitedMs: number) {
  const since = startedAt.toISOString();
  const what = `${author} on ${device}${reason === "" ? "" : ` (${reason})`}, since ${since}`;
  return new LockstepError(
    "WRITES_UNDER_WAY",
    `New writes are refused now, but after ${Math.round(waitedMs / 1000)} s ${repository} is still being written by ${what}` +
      `${more > 0 ? `, and ${more} more writes are under way` : ""}; stop writes again to go on waiting, or allow them.`,
    { details: { write: id, repository, device, author, reason, since, more: String(more) } },
  );
}
