// Refs onto the disk, and only then the version: into this process's memory, beside the replica, and into the database.
import { crashPoint } from "../../crash-points.ts";
import type { RefName, RefValue, Version } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { wasKilled } from "../../git/process.ts";
import { applyRefs } from "../../git/refs/refs.ts";
import type { StartedTransaction } from "../../git/refs/started-transaction.ts";
import { doubtReplicaRecord, writeReplicaRecord } from "../../git/root/root-record.ts";
import { syncRefs } from "../../io/disk.ts";
import { recordVersion, type SyncEvent } from "../../store/record-replica.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { countArrival } from "./tidy.ts";

/**
 * Makes the refs of a replica those of `target` and records it. The caller holds the replica's mutex and computed the plan under
 * it. `started` spares git its start. If anything fails between the first ref and the last, the replica is in
 * doubt and the next touch recovers it.
 */
export async function applyAndRecord(
  context: SyncContext,
  replica: Replica,
  plan: ReadonlyMap<RefName, RefValue | null>,
  target: { version: Version; digest: Buffer },
  event: SyncEvent,
  started?: StartedTransaction,
): Promise<void> {
  replica.applied = undefined;
  context.signal.throwIfAborted();
  await crashPoint("catch-up.applying");
  // Killed between the first ref and the last, it is not believed to hold what it held.
  await doubtReplicaRecord(replica.gitDir);
  try {
    await applyRefs(context.git, replica.gitDir, plan, started);
  } catch (error) {
    // The disk is not what was noted, or the plan would have fitted: the next touch compares all of it.
    if (wasKilled(error)) replica.swept = false;
    throw error;
  }
  await crashPoint("catch-up.renamed");
  await markApplied(context, replica, new Set(plan.keys()), target);
  await crashPoint("catch-up.noted");
  await recordInDatabase(context, replica, event);
}

/** The refs of `target` are on disk: syncs them and takes note. */
export async function markApplied(
  context: SyncContext,
  replica: Replica,
  names: ReadonlySet<RefName>,
  target: { version: Version; digest: Buffer },
): Promise<void> {
  await syncRefs(replica.gitDir, names);
  await noteOnDisk(context, replica, target);
  replica.appliedDigest = target.digest.toString("hex");
  replica.applied = target.version;
  countArrival(context, replica, names.size);
  context.log.debug({ repository: replica.name, version: String(target.version) }, "applied");
}

/** Notes beside the replica that its refs are those of `target`. */
export async function noteOnDisk(
  context: SyncContext,
  replica: Replica,
  target: { version: Version; digest: Buffer },
): Promise<void> {
  await writeReplicaRecord(replica.gitDir, {
    repositoryId: replica.id,
    version: target.version,
    digest: target.digest.toString("hex"),
    epoch: context.epoch,
  });
}

/** The refs on disk may not be those of the version: the next touch compares them all. */
export async function putInDoubt(replica: Replica): Promise<void> {
  replica.applied = undefined;
  replica.mutex.mistrusted = true;
  await doubtReplicaRecord(replica.gitDir);
}

/** Tells the database which version this replica has, unless it knows. A failure leaves the row behind, which is harmless. */
export async function recordInDatabase(
  context: SyncContext,
  replica: Replica,
  event: SyncEvent | null = null,
): Promise<void> {
  const version = replica.applied;
  if (version === undefined || (event === null && replica.recorded >= version)) return;
  try {
    await recordVersion(context.db, context.me, replica.id, version, event, replica.appliedDigest);
    replica.recorded = version;
  } catch (error) {
    if (error instanceof LockstepError && error.code === "FENCED") context.onFenced();
    if (error instanceof LockstepError && error.code === "DATABASE_UNAVAILABLE") return;
    throw error;
  }
}
