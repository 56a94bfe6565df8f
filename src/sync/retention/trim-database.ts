// Deletes rows of the database that have been kept for long enough (store/retention/subjects.ts). It works in small
// batches with pauses, so that pushes do not notice.
import { setTimeout as sleep } from "node:timers/promises";
import { crashPoint } from "../../crash-points.ts";
import type { Database } from "../../store/database/database.ts";
import { purgeRemoved } from "../../store/repository/removals.ts";
import { readKeeps } from "../../store/retention/keep-times.ts";
import { type Keep, parseKeep, SUBJECTS, type SubjectName } from "../../store/retention/subjects.ts";
import {
  claimTrim,
  trimAudit,
  trimCommands,
  trimEvents,
  trimFormerNames,
  trimLog,
  trimSyncs,
  trimWrites,
} from "../../store/retention/trim-rows.ts";
import type { SyncContext } from "../device/context.ts";

/** How many rows one statement deletes. It takes some ten milliseconds. */
const BATCH = 500;
/** How many versions the base of a log moves at once. Reading that many versions takes a few milliseconds. */
const STEP = 1_000;
const PAUSE_MS = 20;

/** Returns for how long each subject is kept now. */
export async function readRules(db: Database): Promise<(subject: SubjectName) => Keep> {
  const set = await readKeeps(db);
  return (subject) => {
    const { keep } = { keep: "1d", ...SUBJECTS[subject] };
    return parseKeep(subject, set.get(subject) ?? keep);
  };
}

/** Deletes everything that is due. Another device may do the same at the same time. Returns how many rows went. */
export async function trimDatabase(context: SyncContext): Promise<number> {
  const { db, log } = context;
  const rules = await readRules(db);
  const startedAt = performance.now();
  const deleted = {
    log: await trimLogs(context, rules("log")),
    writes: await inBatches(context, () => trimWrites(db, rules("writes").days, BATCH)),
    commands: await inBatches(context, () => trimCommands(db, rules("commands").days, BATCH)),
    syncs: await inBatches(context, () => trimSyncs(db, rules("syncs").days, BATCH)),
    pushes: await inBatches(context, () => trimEvents(db, "push_event", rules("pushes").days, BATCH)),
    pulls: await inBatches(context, () => trimEvents(db, "pull_event", rules("pulls").days, BATCH)),
    former: await inBatches(context, () => trimFormerNames(db, BATCH)),
    removed: await purgeAll(context),
    audit: await inBatches(context, () => trimAudit(db, rules("audit").days, BATCH)),
  };
  const sum = Object.values(deleted).reduce((all, each) => all + each, 0);
  if (sum > 0) log.info({ ...deleted, durationMs: performance.now() - startedAt }, "deleted old rows of the database");
  return sum;
}

async function trimLogs(context: SyncContext, keep: Keep): Promise<number> {
  const { db, signal } = context;
  let deleted = 0;
  for (let only: string | null = null; !signal.aborted; ) {
    const claim = await claimTrim(db, only, keep, STEP);
    if (claim === undefined && only === null) break;
    const { repositoryId, base = 0n, more = false } = claim ?? {};
    // Rows below the base are deleted later than the base moves. A reader that finds some of them gone takes the fold.
    await crashPoint("retention.based");
    if (repositoryId !== undefined && base > 0n)
      deleted += await inBatches(context, () => trimLog(db, repositoryId, BATCH));
    only = more ? (repositoryId ?? null) : null;
  }
  return deleted;
}

/** Deletes the rows of repositories that were removed and cannot be restored. */
async function purgeAll({ db, signal }: SyncContext): Promise<number> {
  let deleted = 0;
  for (;;) {
    const piece = await purgeRemoved(db, BATCH);
    if (piece === undefined || signal.aborted) return deleted;
    deleted += piece;
    await crashPoint("remove.purging");
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => {});
  }
}

async function inBatches({ signal }: SyncContext, trim: () => Promise<number>): Promise<number> {
  let deleted = 0;
  for (;;) {
    const batch = await trim();
    deleted += batch;
    if (batch < BATCH || signal.aborted) return deleted;
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => {});
  }
}
