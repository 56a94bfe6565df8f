// Before a read (docs/architecture.md, "A read"): return when this replica holds at least what was the head when the call came.
import type { Version } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { fencedError, noReplicaError } from "../../store/replicas.ts";
import { type Head, repositoryNotFoundError } from "../../store/repositories.ts";
import { writesStoppedError } from "../../store/write-locks.ts";
import { catchUp } from "../catch-up/catch-up.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { stopAheadOfDatabase, stoppedError } from "../replica/ahead-of-database.ts";
import { lookAfterUploads } from "../replica/uploads.ts";

export interface ReadOptions {
  /** Also wait for this version. */
  readonly minVersion?: Version;
  /** A push is to follow: refused where writes are stopped, before anything of it is uploaded. */
  readonly forPush?: boolean;
  /** The caller compares the files itself, and wants to see what others changed in them. */
  readonly asTheyAre?: boolean;
  /** The caller's patience. */
  readonly signal: AbortSignal;
}

export interface ReadGrant {
  readonly replica: Replica;
  readonly version: Version;
  /** Something had to be fetched or repaired first. */
  readonly fetched: boolean;
}

/**
 * Returns when the replica of `name` on this device may serve a read. On a current replica that costs one database round trip
 * shared with other reads, a few calls of stat, no git and no lock. Throws REPOSITORY_NOT_FOUND, REPLICA_NOT_FOUND, VERSION_AHEAD,
 * AHEAD_OF_DATABASE, WRITES_STOPPED, FENCED, DATABASE_UNAVAILABLE, and what `catchUp` throws.
 */
export async function beforeRead(context: SyncContext, name: string, options: ReadOptions): Promise<ReadGrant> {
  const askedAt = performance.now();
  // While the database is asked: another directory, or refs that somebody else changed, put the replica in doubt.
  const looked = options.asTheyAre ? undefined : context.replicas.findByName(name)?.mutex.look();
  const [{ replica, found, before }] = await Promise.all([locate(context, name), looked]);
  const head = found.version;
  // The replica was not looked at when this asked, and what it holds is newer than the answer: a push since then, or lost writes.
  if (before === undefined && replica.applied !== undefined && replica.applied > head)
    return await beforeRead(context, name, options);
  // A version has one digest for ever: whenever the two were read, another one means that the database lost what was here.
  const differs = replica.applied === head && replica.appliedDigest !== found.digest;
  if (differs)
    throw await stopAheadOfDatabase(context, replica, { version: head, digest: replica.appliedDigest }, head);
  if (before !== undefined && before.version > head) throw await stopAheadOfDatabase(context, replica, before, head);
  if (found.stopped !== null) throw stoppedError(name, found.stopped);
  if (options.forPush && found.writesStopped !== null) throw writesStoppedError(name, found.writesStopped);
  if (options.forPush) lookAfterUploads(context, replica);
  const wanted = options.minVersion ?? 0n;
  if (wanted > head) {
    throw new LockstepError(
      "VERSION_AHEAD",
      `Repository ${name} is at version ${head}, version ${wanted} has not been written yet; try again.`,
      {
        details: { repository: name, version: String(head) },
      },
    );
  }
  if (replica.applied !== undefined && replica.applied >= head) {
    replica.currentAt = askedAt;
    replica.touched = true;
    context.metrics.read("current");
    return { replica, version: replica.applied, fetched: false };
  }
  const version = await catchUp(context, replica, head, options);
  replica.currentAt = askedAt;
  context.metrics.read("fetched");
  return { replica, version, fetched: true };
}

/** The replica of a repository on this device and the head as of now, with the fence checked. */
export async function locate(
  context: SyncContext,
  name: string,
): Promise<{ replica: Replica; found: Head; before: { version: Version; digest: string } | undefined }> {
  // Read before the question is asked: a push that lands meanwhile may well be newer than the answer.
  const known = context.replicas.findByName(name);
  const before = known?.applied === undefined ? undefined : { version: known.applied, digest: known.appliedDigest };
  const { fence, head } = await context.heads.ask(name);
  if (fence !== context.me.fence) {
    context.onFenced();
    throw fencedError(context.me);
  }
  if (head === undefined) throw repositoryNotFoundError(name);
  if (head.replicaState === null || head.replicaState === "released" || head.replicaState === "destroyed")
    throw noReplicaError(context.me.device, name);
  const replica = context.replicas.get({ id: head.id, name, objectFormat: head.objectFormat });
  return { replica, found: head, before: replica === known ? before : undefined };
}
