// Makes sure, before a read, that this replica holds at least the head as of the call (docs/architecture.md, "A read").
import type { Version } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { linkSignals } from "../../io/signals.ts";
import { isServed } from "../../replica-states.ts";
import { type NoWrites, replicaElsewhereError, writesElsewhereError } from "../../store/replica/placement.ts";
import { missingRepositoryError } from "../../store/repository/former-names.ts";
import type { Head } from "../../store/repository/read-heads.ts";
import { writesStoppedError } from "../../store/write/write-stops.ts";
import { WAITS } from "../../waits.ts";
import { catchUp } from "../catch-up/catch-up.ts";
import type { SyncContext } from "../device/context.ts";
import { endAsFenced } from "../device/end-as-fenced.ts";
import type { Replica } from "../device/replica.ts";
import { followName } from "../place/follow-name.ts";
import { stopAheadOfDatabase, stoppedError } from "../replica/ahead-of-database.ts";
import { lookAfterUploads } from "../replica/uploads.ts";

export interface ReadOptions {
  /** Also waits for this version. */
  readonly minVersion?: Version;
  /** A push follows. If writes are stopped, it is refused before any of it is uploaded. */
  readonly forPush?: boolean;
  /** True: the caller compares the files itself and wants to see changes of others in them. */
  readonly asTheyAre?: boolean;
  /** Aborts when the caller gives up. */
  readonly signal: AbortSignal;
}

export interface ReadGrant {
  readonly replica: Replica;
  readonly version: Version;
  /** True when something had to be fetched or repaired first. */
  readonly fetched: boolean;
}

/**
 * Returns when the replica of `name` on this device may serve a read. For a current replica this costs one database
 * round trip shared with other reads, a few calls of stat, no git and no lock. Throws REPOSITORY_NOT_FOUND,
 * REPLICA_NOT_FOUND, REPLICA_BORROWS, VERSION_AHEAD, AHEAD_OF_DATABASE, WRITES_STOPPED, WRITES_ELSEWHERE, FENCED,
 * DATABASE_UNAVAILABLE, and what `catchUp` throws.
 */
export async function beforeRead(context: SyncContext, name: string, options: ReadOptions): Promise<ReadGrant> {
  try {
    return await grantRead(context, name, options);
  } catch (error) {
    context.metrics.readRefused(error instanceof LockstepError ? error.code : "INTERNAL");
    throw error;
  }
}

async function grantRead(context: SyncContext, name: string, options: ReadOptions): Promise<ReadGrant> {
  context.git.makeWay?.now();
  const { replica, found, before, noWrites, askedAt } = await lookAndLocate(context, name, options);
  const head = found.version;
  // A version has one digest for ever. So a different digest means that the database lost this version, whenever the
  // two were read.
  const differs = replica.applied === head && replica.appliedDigest !== found.digest;
  if (differs)
    throw await stopAheadOfDatabase(context, replica, { version: head, digest: replica.appliedDigest }, head);
  if (before !== undefined && before.version > head) throw await stopAheadOfDatabase(context, replica, before, head);
  if (found.stopped !== null) throw stoppedError(name, found.stopped);
  if (options.forPush && found.writesStopped !== null) throw writesStoppedError(name, found.writesStopped);
  if (options.forPush && noWrites !== null)
    throw await writesElsewhereError(context.db, { device: context.me.device, repository: name, noWrites });
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
  const version = await catchUpForRead(context, replica, found, options);
  replica.currentAt = askedAt;
  context.metrics.read("fetched");
  return { replica, version, fetched: true };
}

/** Catches up to the head. Throws REPLICA_NOT_FOUND, with devices to ask instead, while the first copy is made. */
async function catchUpForRead(
  context: SyncContext,
  replica: Replica,
  { version, replicaState }: Head,
  options: ReadOptions,
): Promise<Version> {
  if (replicaState !== "pending" || version === 0n) return await catchUp(context, replica, version, options);
  using patience = linkSignals([options.signal], WAITS.firstCopyMs);
  try {
    return await catchUp(context, replica, version, { ...options, signal: patience.signal });
  } catch (error) {
    if (!patience.signal.aborted || options.signal.aborted) throw error;
    const asked = { device: context.me.device, repository: replica.name, coming: true };
    throw await replicaElsewhereError(context.db, asked);
  }
}

interface Located {
  readonly replica: Replica;
  readonly found: Head;
  /** The version of the replica when the database was asked. undefined: this process did not know it. */
  readonly before: { version: Version; digest: string } | undefined;
  /** Why this device takes no writes. null: it takes them. */
  readonly noWrites: NoWrites | null;
}

/** How often the database is asked while the replica turns out to be newer than the answer. */
const ASKED_LIMIT = 5;

/** Returns the replica, after a look at its files, the head, and when this asked for it. */
async function lookAndLocate(
  context: SyncContext,
  name: string,
  { asTheyAre }: ReadOptions,
): Promise<Located & { askedAt: number }> {
  for (let asked = 0; asked < ASKED_LIMIT; asked += 1) {
    const askedAt = performance.now();
    // While the database is asked, the files are looked at. If the directory is another one, or somebody else changed
    // the refs, the replica comes into doubt.
    const known = context.replicas.findByName(name);
    const locating = locate(context, name);
    const looked = asTheyAre ? undefined : known?.mutex.look();
    const [located] = await Promise.all([locating, looked]);
    const { replica, found, before } = located;
    if (replica !== known && !asTheyAre) await replica.mutex.look();
    // The replica had no known version when this asked. Its version now is newer than the answer: there was a push
    // since then, or the database lost writes.
    const isNewer = before === undefined && replica.applied !== undefined && replica.applied > found.version;
    if (!isNewer) return { ...located, askedAt };
  }
  throw new LockstepError("REPLICA_IN_DOUBT", `The replica of ${name} came into doubt; try again.`);
}

/** Returns the replica of a repository on this device and the head as of now. Checks the fence. */
export async function locate(context: SyncContext, name: string): Promise<Located> {
  // Read before the question: a push that lands meanwhile may well be newer than the answer.
  const known = context.replicas.findByName(name);
  const before = known?.applied === undefined ? undefined : { version: known.applied, digest: known.appliedDigest };
  const { fence, head, noWrites } = await context.heads.ask(name);
  if (fence !== context.me.fence) throw endAsFenced(context);
  if (head === undefined) throw await missingRepositoryError(context.db, name);
  if (!isServed(head.replicaState))
    throw await replicaElsewhereError(context.db, { device: context.me.device, repository: name, coming: false });
  const replica = context.replicas.get({ id: head.id, name, objectFormat: head.objectFormat });
  if (replica.name !== name) {
    // The repository was renamed, and the directory has not moved yet.
    await followName(context, replica);
    if (replica.name !== name) throw await missingRepositoryError(context.db, name);
  }
  return { replica, found: head, before: replica === known ? before : undefined, noWrites };
}
