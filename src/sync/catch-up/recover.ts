// Recovers a replica, wherever the crash was. It removes the leftovers of a dead process, folds the log onto the refs,
// and fetches missing objects. It is idempotent and may be killed at any point. It runs when a new incarnation first
// accesses a replica, and whenever a replica comes into doubt.
import { join } from "node:path";
import { crashPoint } from "../../crash-points.ts";
import { digestOf } from "../../digest.ts";
import { isSymbolic, objectIds, type RefName, type RefValue, type Version } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { sweep } from "../../git/beside/leftovers.ts";
import { setHistoryAside } from "../../git/objects/beside-objects.ts";
import { existingObjects } from "../../git/objects/connectivity.ts";
import { damagedPath } from "../../git/packs/damage.ts";
import { ensureAliasHook } from "../../git/refs/alias-hook.ts";
import { difference, readRefs } from "../../git/refs/refs.ts";
import { FOREIGN_LOCK_MS } from "../../git/refs/stale-locks.ts";
import { wasReplica } from "../../git/replica/repository.ts";
import { doubtReplicaRecord, STATE_DIR } from "../../git/root/root-record.ts";
import { readFold } from "../../store/log/fold.ts";
import { readStandings } from "../../store/log/log-standing.ts";
import { readChanges, readDigest, readSettlements } from "../../store/log/ref-log.ts";
import { readRecord } from "../../store/replica/replicas.ts";
import { Stopwatch } from "../../telemetry/stopwatch.ts";
import type { SyncContext } from "../device/context.ts";
import { type Course, type Replica, UNRECORDED } from "../device/replica.ts";
import type { Part } from "../objects/fetch-from-source.ts";
import { eventOf, fetchObjects } from "../objects/fetch-objects.ts";
import { partsOf } from "../objects/parts.ts";
import { takePlace } from "../place/follow-name.ts";
import { stopAheadOfDatabase } from "../replica/ahead-of-database.ts";
import { applyAndRecord } from "../replica/apply.ts";
import { clearRefs } from "../replica/clear-refs.ts";
import { keepLost, keepStrange } from "../replica/keep-given-up.ts";
import { endLive } from "../replica/out-of-service.ts";
import { noteOf, prepareDirectory } from "../replica/prepare-directory.ts";
import { beginConfirmation } from "./confirm.ts";
import { isLate, landLate } from "./land-late.ts";

/** Brings a replica whose version this process does not know to a known version: sets `replica.applied`. */
export async function recoverReplica(context: SyncContext, replica: Replica, course: Course): Promise<void> {
  const known = await replica.mutex.runExclusive(async () => {
    await replica.packingRefs;
    if (replica.mutex.changedByOthers)
      context.log.warn(
        { repository: replica.name },
        "somebody else changed the files of a replica: comparing them with the log",
      );
    if (!(await wasReplica(replica.gitDir, replica.id))) await takePlace(context, replica);
    // Changes in the files become the scratch of their session before the log is folded over them.
    await endLive(context, replica);
    await prepareDirectory(context, replica);
    const strange = await setHistoryAside(replica.gitDir, damagedPath(join(context.root, STATE_DIR), replica.id));
    if (strange.length > 0)
      context.log.warn({ repository: replica.name, strange }, "moved aside files that hide a part of history");
    // A push of plain git that began before an adoption has locks of its own.
    const late = await isLate(context, replica);
    const young = replica.swept || late ? FOREIGN_LOCK_MS : 0;
    // Our own quarantines are those of a sidecar that has ended, until this one has looked once.
    const ownAgeMs = replica.swept ? FOREIGN_LOCK_MS : 0;
    const removed = await sweep(replica.gitDir, young, { collecting: replica.collecting.isLocked(), ownAgeMs });
    replica.swept = true;
    await crashPoint("recovery.swept");
    if (removed.length > 0)
      context.log.info({ repository: replica.name, removed }, "removed leftovers of an interrupted write");
    // While no sidecar ran, such a push may have ended.
    return !late && (await believeRecords(context, replica));
  });
  if (!known) await foldReplica(context, replica, course);
}

/**
 * Returns whether the recorded version counts, and then sets it. It counts after a mere restart of the process: the
 * disk still holds what it held. A write beyond that version is either in the log, and is applied from there, or never
 * reached the refs.
 */
async function believeRecords(context: SyncContext, replica: Replica): Promise<boolean> {
  if (replica.mutex.mistrusted) return false;
  const record = await noteOf(replica);
  if (record?.epoch !== context.epoch) return false;
  const { version, state } = await readRecord(context.db, context.me.device, replica.id);
  if (version !== record.version) return false;
  const digest = await readDigest(context.db, replica.id, version);
  if (digest?.toString("hex") !== record.digest) return false;
  replica.appliedDigest = record.digest;
  replica.applied = version;
  // Others use a replica only once its row says so. A version that is recorded anew says it.
  replica.recorded = state === "active" ? version : UNRECORDED;
  return true;
}

/** Returns the parts of the wanted values, as far as the log tells which devices wrote them since a version. */
async function partsSince(
  { db, me }: SyncContext,
  { id }: Replica,
  since: Version | undefined,
  wanted: readonly (readonly [RefName, RefValue | null])[],
): Promise<Part[]> {
  if (since === undefined) return [];
  const { changes, origins } = await readChanges(db, id, since);
  return changes === null ? [] : partsOf(wanted, origins, { me: me.device, since });
}

/** Makes the refs equal to the whole fold at the head, whatever they are. Costs a walk over all refs. */
export async function foldReplica(context: SyncContext, replica: Replica, course: Course): Promise<void> {
  while (!(await foldOnce(context, replica, course))) course.signal.throwIfAborted();
}

/** Folds the log onto the refs. Returns false if a late push has landed in place of that: the log has more now. */
async function foldOnce(context: SyncContext, replica: Replica, course: Course): Promise<boolean> {
  const clock = new Stopwatch();
  const { signal } = course;
  // The note is read before the log: the log then contains a push that lands here meanwhile.
  const record = await noteOf(replica);
  const late = await isLate(context, replica);
  const standing = record && (await readStandings(context.db, [record])).get(replica.id);
  if (record && (standing?.standing === "ahead" || standing?.standing === "diverged"))
    throw await stopAheadOfDatabase(context, replica, record, standing.head);
  const settlements = await readSettlements(context.db, replica.id, record?.version ?? 0n);
  const fold = await readFold(context.db, replica.id);
  const confirmed = beginConfirmation(context, fold);
  clock.lap("logMs");
  if (!digestOf(fold.digestKey, fold.refs).equals(fold.digest)) {
    throw new LockstepError(
      "INTERNAL",
      `The stored refs of ${replica.name} do not have the digest of version ${fold.head}.`,
    );
  }
  await replica.mutex.runExclusive(() => clearRefs(context, replica));
  if (late && record && settlements.length === 0) {
    const landed = await replica.mutex.runExclusive(() => landLate(context, replica, record, fold));
    if (landed) return false;
  }
  const onDisk = await readRefs(context.git, replica.gitDir, signal);
  const differing = difference(onDisk, fold.refs);
  clock.lap("compareMs");
  await crashPoint("recovery.compared");
  const settled = [...onDisk].filter(([name, value]) => fold.refs.get(name) === value);
  const needed = objectIds(settled.map(([, value]) => value));
  const haves = await existingObjects(context.git, replica.gitDir, needed, signal);
  // A ref may be right while its object is gone.
  const here = new Set<string>(haves);
  const wanted = [...differing, ...settled.filter(([, value]) => !isSymbolic(value) && !here.has(value))];
  const request = { haves, version: fold.head, writers: [], lookHere: true, prefer: undefined, ...course };
  const wants = [...new Set(objectIds(wanted.map(([, value]) => value)))];
  const parts = await partsSince(context, replica, record?.version, wanted);
  const fetched = await fetchObjects(context, replica, { ...request, wants, parts });
  clock.lap("fetchMs");
  await confirmed;
  await replica.mutex.runExclusive(async () => {
    // Only this catch-up writes to a replica whose version is unknown. A replica whose version is known may have gone
    // further.
    if (replica.applied !== undefined && replica.applied >= fold.head) return;
    // If the process is killed between here and the end, the next incarnation compares again.
    await doubtReplicaRecord(replica.gitDir);
    await crashPoint("recovery.forgotten");
    const now = await readRefs(context.git, replica.gitDir, context.signal);
    const plan = difference(now, fold.refs);
    const unknown = standing?.standing === "settled";
    await keepLost(context, replica, settlements, { onDisk: unknown ? now : new Map(), kept: fold.refs });
    // The log no longer tells whether the refs on this disk were ever those of the repository. They may be of writes
    // that the database has lost.
    if (replica.mutex.changedByOthers || late || standing?.standing === "trimmed")
      await keepStrange(context, replica, { version: fold.head, onDisk: now, fold: fold.refs });
    replica.settled = settlements.at(-1)?.version ?? replica.settled;
    const event = eventOf(fetched, record?.version ?? 0n, plan.size, clock.durationMs);
    await ensureAliasHook(replica.gitDir, fold.refs).catch(() => {});
    await applyAndRecord(context, replica, plan, { version: fold.head, digest: fold.digest }, event);
  });
  clock.lap("applyMs");
  const { durationMs } = clock;
  context.metrics.caughtUp(clock, fetched);
  context.log.info(
    {
      repository: replica.name,
      version: String(fold.head),
      fromDevice: fetched.from,
      bytes: fetched.bytes,
      ...clock.laps,
      durationMs,
    },
    "folded the log onto the refs",
  );
  return true;
}
