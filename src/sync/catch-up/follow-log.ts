// Does one catch-up. It asks the log what changed between this replica's version and the head, fetches those exact
// objects, and applies those exact refs. Its cost grows with the change, not with the number of refs.
import { crashPoint } from "../../crash-points.ts";
import { addDigests, differenceOf } from "../../digest.ts";
import { objectIds, type RefName, type RefValue, type Version } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { StartedTransaction } from "../../git/transactions/started-transaction.ts";
import { isHeld } from "../../replica-states.ts";
import { type ChangesSince, type RefChange, readChanges } from "../../store/log/ref-log.ts";
import { readUnchangedTips, TIPS_OFFERED } from "../../store/log/unchanged-tips.ts";
import { noReplicaError } from "../../store/replica/replicas.ts";
import { Stopwatch } from "../../telemetry/stopwatch.ts";
import type { SyncContext } from "../device/context.ts";
import type { Course, Replica } from "../device/replica.ts";
import type { FetchRequest } from "../objects/fetch-from-source.ts";
import { eventOf, fetchObjects } from "../objects/fetch-objects.ts";
import { partsOf } from "../objects/parts.ts";
import { stopAheadOfDatabase } from "../replica/ahead-of-database.ts";
import { applyAndRecord, recordBeside } from "../replica/apply.ts";
import { beginConfirmation } from "./confirm.ts";
import { foldReplica, recoverReplica } from "./recover.ts";

/** If a replica is in doubt again after so many recoveries, somebody changes its files all the time. */
const RECOVERIES = 5;
/** How many plans in a row may be overtaken by pushes that land here. Then the catch-up is given up. */
const OVERTAKEN = 20;

/**
 * Brings a replica to the head. A replica whose version is unknown is recovered first. `from` is asked first for
 * objects. Throws what its steps throw.
 */
export async function followLog(
  context: SyncContext,
  replica: Replica,
  course: Course,
  from: string | undefined,
): Promise<void> {
  for (let rounds = OVERTAKEN; rounds > 0; rounds -= 1) {
    // Another holder of the mutex may have put the replica in doubt once more.
    for (let left = RECOVERIES; replica.applied === undefined && left > 0; left -= 1)
      await recoverReplica(context, replica, course);
    if ((await applyChanges(context, replica, course, from)) === "at the head") return;
  }
  throw inDoubtError(replica);
}

function inDoubtError({ name }: Replica): LockstepError {
  return new LockstepError("REPLICA_IN_DOUBT", `The replica of ${name} came into doubt; try again.`);
}

/**
 * Applies the changes up to the head. Returns "overtaken" when the replica changed while the objects came and is not at
 * the head yet.
 */
async function applyChanges(
  context: SyncContext,
  replica: Replica,
  course: Course,
  from: string | undefined,
): Promise<"at the head" | "overtaken"> {
  const clock = new Stopwatch();
  const { applied: mine, appliedDigest } = replica;
  if (mine === undefined) throw inDoubtError(replica);
  const read = await readChanges(context.db, replica.id, mine);
  const { head, digest, base, changes, settled } = read;
  clock.lap("logMs");
  if (head < mine || (head === mine && digest.toString("hex") !== appliedDigest))
    throw await stopAheadOfDatabase(context, replica, { version: mine, digest: appliedDigest }, head);
  if (head === mine) {
    await recordBeside(context, replica);
    return "at the head";
  }
  noteBeside(context, replica, read);
  // If the digests differ, the log's changes do not apply to this replica.
  const sameBase = mine === 0n || base?.toString("hex") === appliedDigest;
  if (changes === null || !sameBase || settled || !isSum(read)) {
    await foldReplica(context, replica, course);
    return "at the head";
  }

  const confirmed = beginConfirmation(context, read);
  await crashPoint("catch-up.planned");
  const plan = new Map<RefName, RefValue | null>(changes.map(({ name, newValue }) => [name, newValue]));
  const request = await requestFor(context, replica, mine, { ...read, changes }, plan);
  // Others will ask this device for the same.
  context.fetchable.note(replica.id, request.wants);
  // Starts git while the objects still come. This git touches nothing before it is told to.
  await using started = new StartedTransaction(context.git, replica.gitDir, { kept: replica.keptGit });
  const fetched = await fetchObjects(context, replica, { ...request, prefer: from, ...course });
  clock.lap("fetchMs");
  await confirmed;
  await crashPoint("catch-up.fetched");
  const moved = await replica.mutex.runExclusive(async () => {
    clock.lap("mutexMs");
    // Checked under the mutex: a push may have brought this replica further meanwhile, and an older plan would put a
    // ref back.
    if (replica.applied !== mine) return true;
    await applyAndRecord(
      context,
      replica,
      plan,
      { version: head, digest },
      eventOf(fetched, mine, plan.size, clock.durationMs),
      started,
    );
    return false;
  });
  if (moved) return replica.applied === undefined || replica.applied < head ? "overtaken" : "at the head";
  clock.lap("applyMs");
  const { durationMs } = clock;
  context.metrics.caughtUp(clock, fetched);
  context.log.info(
    {
      repository: replica.name,
      version: String(head),
      fromVersion: String(mine),
      fromDevice: fetched.from,
      bytes: fetched.bytes,
      refsChanged: changes.length,
      ...clock.laps,
      durationMs,
    },
    "caught up",
  );
  return "at the head";
}

/**
 * Returns whether the changes add up to the digest at the head. A write brings only what it adds to the digest, so this
 * is where a wrong sum would be noticed. The whole fold then says whether the log is wrong.
 */
function isSum({ base, digest, digestKey, changes }: ChangesSince): boolean {
  if (base === null || changes === null) return true;
  return addDigests(base, differenceOf(digestKey, changes)).equals(digest);
}

/** Takes over what the log was read with. Throws REPLICA_NOT_FOUND when this device has given its replica up. */
function noteBeside({ me }: SyncContext, replica: Replica, { beside }: ChangesSince): void {
  if (beside === undefined) return;
  replica.updateLimitMs = beside.updateLimitMs;
  const own = beside.sources.find(({ device }) => device === me.device);
  if (!isHeld(own?.state ?? null)) throw noReplicaError(me.device, replica.name);
}

/** Returns the request for the objects of the changes. */
async function requestFor(
  context: SyncContext,
  replica: Replica,
  mine: Version,
  read: ChangesSince & { readonly changes: readonly RefChange[] },
  plan: ReadonlyMap<RefName, RefValue | null>,
): Promise<Omit<FetchRequest, "prefer" | keyof Course>> {
  return {
    wants: objectIds(plan.values()),
    haves: await knownObjects(context, replica, mine, read),
    version: read.head,
    writers: read.writers,
    // Only the parts that this device is said to have are looked for here: they were pushed here, or it holds them.
    lookHere: false,
    sources: read.beside?.sources,
    parts: partsOf(plan, read.origins, { me: context.me.device, since: mine }),
  };
}

/**
 * Returns objects that are here with all that they need: the values of the changed refs in this replica. If the changes
 * create refs, also tips of other branches.
 */
async function knownObjects(
  context: SyncContext,
  replica: Replica,
  mine: Version,
  { changes, beside }: ChangesSince & { readonly changes: readonly RefChange[] },
): Promise<string[]> {
  const held = changes.map(({ oldValue }) => oldValue);
  const creates = changes.some(({ oldValue, newValue }) => oldValue === null && newValue !== null);
  if (!creates) return objectIds(held);
  const tips = beside?.tips ?? (await readUnchangedTips(context.db, replica.id, mine, TIPS_OFFERED));
  return objectIds([...held, ...tips]);
}
