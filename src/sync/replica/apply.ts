// Puts refs onto the disk and then records their version: in this process, in the note beside the replica, and in the
// database.
import { crashPoint } from "../../crash-points.ts";
import { isBelow, type RefName, type RefValue, type Version } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { wasKilled } from "../../git/git-error.ts";
import { hasStuckGit } from "../../git/hung/hung.ts";
import { applyRefs } from "../../git/refs/refs.ts";
import { doubtReplicaRecord, writeReplicaRecord } from "../../git/root/root-record.ts";
import type { StartedTransaction } from "../../git/transactions/started-transaction.ts";
import { gitSyncsRefs } from "../../io/disk.ts";
import { recordVersion, reviseVersions, type SyncEvent } from "../../store/replica/record-replica.ts";
import type { SyncContext } from "../device/context.ts";
import { endAsFenced } from "../device/end-as-fenced.ts";
import type { RefChanges } from "../device/ref-history.ts";
import type { Replica } from "../device/replica.ts";
import { countArrival } from "./tidy.ts";

/**
 * Makes the refs of a replica those of `target` and records that. The caller holds the replica's mutex and has made the
 * plan under it. `started` saves the start of a git. If anything fails between the first ref and the last, the replica
 * is in doubt, and the next access recovers it.
 */
export async function applyAndRecord(
  context: SyncContext,
  replica: Replica,
  plan: ReadonlyMap<RefName, RefValue | null>,
  target: { version: Version; digest: Buffer },
  event: SyncEvent,
  started?: StartedTransaction,
): Promise<void> {
  const { id: repositoryId, applied: from, appliedDigest: digest } = replica;
  replica.applied = undefined;
  context.signal.throwIfAborted();
  await crashPoint("catch-up.applying");
  // If the process is killed between the first ref and the last, the old note must not count.
  await doubtReplicaRecord(replica.gitDir, from === undefined ? undefined : { repositoryId, version: from, digest });
  try {
    await applyRefs(context.git, replica.gitDir, plan, { started, kept: replica.keptGit });
  } catch (error) {
    // The disk is not as the note says, or the plan would have fitted. So the replica stays in doubt, and the next
    // access compares everything.
    if (wasKilled(error)) replica.swept = false;
    throw error;
  }
  await crashPoint("catch-up.renamed");
  await markApplied(context, replica, { from, changes: plan }, target);
  await crashPoint("catch-up.noted");
  await recordInDatabase(context, replica, event);
}

/** The refs that were written. */
export interface Written {
  /** The version that the refs had before. undefined: not known. */
  readonly from: Version | undefined;
  readonly changes: RefChanges;
}

/**
 * Sets the version of a replica whose refs are on disk: in the note and in this process. The refs are synced before the
 * database gets the version.
 */
export async function markApplied(
  context: SyncContext,
  replica: Replica,
  { from, changes }: Written,
  target: { version: Version; digest: Buffer },
): Promise<void> {
  replica.unsynced.add(changes.keys());
  // git has not synced the content of these: after power loss they might be empty files.
  if (!gitSyncsRefs(replica.gitDir, changes.size)) await replica.unsynced.sync(replica);
  await noteOnDisk(context, replica, target);
  if ([...changes.keys()].some((name) => isBelow(name, "refs/tags/"))) replica.tagsAt = performance.now();
  replica.appliedDigest = target.digest.toString("hex");
  replica.history.advance(from, target.version, changes);
  replica.applied = target.version;
  countArrival(context, replica, changes.size);
  context.log.debug({ repository: replica.name, version: String(target.version) }, "applied");
}

/** Writes the note beside the replica: its refs are those of `target`. */
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

/**
 * Puts the replica in doubt: its refs may not be those of its version. The next access compares all of them. The caller
 * holds the mutex; without it, the next step of a push would set a version again.
 */
export async function putInDoubt(replica: Replica): Promise<void> {
  replica.applied = undefined;
  replica.mutex.mistrusted = true;
  // A disk that does not answer takes no note. As long as that git lives, no other process can take this root.
  if (hasStuckGit(replica.gitDir)) return;
  await doubtReplicaRecord(replica.gitDir);
}

/**
 * Syncs the refs, and tells the database which version this replica has, unless the database knows it already. If the
 * database is away, the row stays behind, which is harmless. If the disk does not sync, the replica is in doubt. The
 * caller holds the mutex.
 */
export async function recordInDatabase(
  context: SyncContext,
  replica: Replica,
  event: SyncEvent | null = null,
): Promise<void> {
  await syncAndTell(context, replica, event, () => putInDoubt(replica));
}

/**
 * Does what `recordInDatabase` does, for a caller that does not hold the mutex. A push does not wait for it. Only if
 * the disk does not sync, this waits for the mutex, and puts the replica in doubt.
 */
export async function recordBeside(context: SyncContext, replica: Replica): Promise<void> {
  await syncAndTell(context, replica, null, () => replica.mutex.doubt());
}

async function syncAndTell(
  context: SyncContext,
  replica: Replica,
  event: SyncEvent | null,
  doubt: () => Promise<void>,
): Promise<void> {
  const version = replica.applied;
  if (version === undefined || (event === null && replica.recorded >= version)) return;
  const digest = replica.appliedDigest;
  try {
    // Meanwhile the replica may have come into doubt. Then nobody knows what lies on the disk.
    if (!(await replica.unsynced.sync(replica)) || replica.applied === undefined) return;
  } catch (error) {
    await doubt();
    throw error;
  }
  // The replica may come into doubt before this has ended. That is harmless: its row is as if the doubt had come right
  // after. Recovery believes no row beside a note in doubt, and `recordLess` waits for this statement.
  const { lastRecord } = replica;
  const told = tellDatabase(context, replica, { version, digest, event });
  replica.lastRecord = told.catch(() => {}).then(() => lastRecord);
  await told;
}

async function tellDatabase(
  context: SyncContext,
  replica: Replica,
  { version, digest, event }: { version: Version; digest: string; event: SyncEvent | null },
): Promise<void> {
  try {
    await recordVersion(context.db, context.me, replica.id, version, event, digest);
    if (replica.recorded < version) replica.recorded = version;
  } catch (error) {
    if (error instanceof LockstepError && error.code === "FENCED") throw endAsFenced(context);
    if (error instanceof LockstepError && error.code === "DATABASE_UNAVAILABLE") return;
    throw error;
  }
}

/**
 * Lowers the recorded version of a replica that is in doubt, because its disk holds less than was recorded. The caller
 * holds the mutex. Other devices give their copies up if this one seems to have the head. A record that is under way
 * ends first: afterwards it would fail. A record whose connection broke may reach the database afterwards, and has no
 * effect then (`replica.statement_number`).
 */
export async function recordLess(context: SyncContext, replica: Replica, version: Version): Promise<void> {
  await replica.lastRecord;
  await reviseVersions(context.db, context.me, [{ repositoryId: replica.id, version }]);
  replica.recorded = version;
}
