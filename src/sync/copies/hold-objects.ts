// Serves the other side of copies. This device fetches the objects that another one is about to land, and keeps them
// below refs/lockstep/staged/ until long after the decision. It takes no mutex while they come. It takes none for these
// refs either, which only Lockstep uses, unless git has one lock for all refs.
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { crashPoint } from "../../crash-points.ts";
import { objectIds, PRIVATE_REFS, type RefName, refName, toLatin1, valueFromLatin1 } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { noteKept } from "../../git/beside/kept-notes.ts";
import { wholeObjects } from "../../git/objects/whole-updates.ts";
import { CopyNotWanted } from "../../git/peers/pack-requests.ts";
import { readRefNames } from "../../git/refs/refs.ts";
import { STATE_DIR } from "../../git/root/root-record.ts";
import { RefTransaction } from "../../git/transactions/ref-transaction.ts";
import { exists, isReftable, syncRefs } from "../../io/disk.ts";
import { linkSignals } from "../../io/signals.ts";
import { readUnchangedTips, TIPS_OFFERED } from "../../store/log/unchanged-tips.ts";
import { noReplicaError, replicaName, replicasOf } from "../../store/replica/replicas.ts";
import { WAITS } from "../../waits.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { fetchFromSource } from "../objects/fetch-from-source.ts";
import { beforeRead } from "../read/before-read.ts";
import { checkedHold } from "./hold-request.ts";

const STAGED_REFS = `${PRIVATE_REFS}staged/`;
/** How long the objects are kept at least. It is longer than any write stays undecided. */
const KEPT_MS = 60 * 60_000;

export interface HoldOptions {
  /** Aborts when the device that asked has gone. */
  readonly signal?: AbortSignal;
  /** Called whenever the fetch shows progress. */
  readonly onWork?: () => void;
}

/**
 * Returns when the wanted objects, and all that they need, have come from the device `from` and are on this disk,
 * synced and kept. Throws INVALID_REQUEST, REPLICA_NOT_FOUND, GIT_FAILED, and what `fetchFromSource` throws. Throws
 * PERMISSION_DENIED if that device has not asked for it: then somebody else has its key.
 */
export async function holdObjects(
  context: SyncContext,
  from: string,
  body: unknown,
  { signal: gone, onWork = () => {} }: HoldOptions = {},
): Promise<void> {
  const request = checkedHold(body);
  using link = linkSignals(gone ? [context.signal, gone] : [context.signal]);
  const { signal } = link;
  const replica = await currentReplica(context, request.repositoryId, signal);
  const { git } = context;
  const { gitDir } = replica;
  const source = (await replicasOf(context.db, replica.id)).find(({ device }) => device === from);
  if (source === undefined) throw noReplicaError(from, replica.name);
  await releaseHolds(context, replica);
  using _claim = await replica.objects.claim();
  // The walk over the new objects stops at these. A pusher may have named them, and a refused push may have left them
  // here, so they must be whole.
  const named = await wholeObjects(git, replica.gitDir, { ids: request.haves, refs: request.refs }, signal);
  // A ref that is created has no old value to build on. With the tips of refs here, the source can leave out most of
  // its history.
  const creates = request.haves.length < request.wants.length;
  const version = replica.applied ?? 0n;
  const tips = creates ? objectIds(await readUnchangedTips(context.db, replica.id, version, TIPS_OFFERED)) : [];
  const haves = [...new Set([...named, ...tips])];
  await fetchFromSource(
    context,
    replica,
    { ...source, visit: "last" },
    { ...request, haves, version: 0n, onProgress: onWork, copy: true },
    { signal, onWork, onArrival: () => {} },
  ).catch((error: unknown) => {
    // A device that gives up has gone by then.
    signal.throwIfAborted();
    throw error instanceof CopyNotWanted ? notAskedError(from, replica) : error;
  });
  signal.throwIfAborted();
  await crashPoint("copies.fetched");
  await noteKept(join(context.root, STATE_DIR), replica.id);
  const hold = `${STAGED_REFS}${Date.now()}-${randomUUID()}/`;
  const refs = request.wants.map((id, index) => ({ name: refName(`${hold}${index}`), newValue: valueFromLatin1(id) }));
  await besideWrites(replica, async () => {
    await using transaction = new RefTransaction(git, replica.gitDir, { count: refs.length });
    const refusal = await transaction.prepare(refs);
    if (refusal) throw new LockstepError("GIT_FAILED", `git does not keep the objects (${refusal.message}).`);
    await transaction.commit();
  });
  const names = refs.map(({ name }) => name);
  await syncRefs(replica.gitDir, new Set(names));
  for (const name of names) replica.holds?.add(name);
  // git has followed the directory, but the sync has not.
  if (replica.gitDir !== gitDir || !(await exists(gitDir)))
    throw new LockstepError("REPLICA_IN_DOUBT", `The replica of ${replica.name} has moved meanwhile; try again.`);
  await crashPoint("copies.kept");
}

function notAskedError(from: string, { name }: Replica): LockstepError {
  return new LockstepError(
    "PERMISSION_DENIED",
    `Device ${from} says that it does not ask for copies of these objects, so somebody else may have its key; see who uses it.`,
    { details: { repository: name, device: from } },
  );
}

/** Returns the replica as soon as this process knows its version. */
async function currentReplica(context: SyncContext, repositoryId: string, signal: AbortSignal): Promise<Replica> {
  const known = context.replicas.find(repositoryId);
  // Objects in the directory of another replica would be no copy.
  await known?.mutex.look();
  if (known?.applied !== undefined) return known;
  const name = await replicaName(context.db, context.me.device, repositoryId);
  using patience = linkSignals([signal], WAITS.copyCatchUpMs);
  return (await beforeRead(context, name, { signal: patience.signal })).replica;
}

/**
 * Deletes refs that kept objects of old writes: those writes have landed and arrived, or never will. If this replica is
 * behind for that long, the objects are still there until git prunes them.
 */
export async function releaseHolds(context: SyncContext, replica: Replica): Promise<void> {
  replica.holds ??= new Set(await readRefNames(context.git, replica.gitDir, STAGED_REFS));
  const before = Date.now() - Math.max(KEPT_MS, 4 * context.inDoubtMs);
  const over = [...replica.holds].filter((name) => keptSince(name) < before);
  if (over.length === 0) return;
  await besideWrites(replica, async () => {
    await using transaction = new RefTransaction(context.git, replica.gitDir, { count: over.length });
    const refusal = await transaction.prepare(over.map((name) => ({ name, newValue: null })));
    if (refusal) return;
    await transaction.commit();
    for (const name of over) replica.holds?.delete(name);
  });
}

/**
 * Changes refs without the mutex, if git locks each ref by itself. A reftable has one lock for all refs. There a
 * waiting push and this change would refuse each other, so the change takes the mutex. The device that asks holds no
 * mutex meanwhile, so two that ask each other do not block.
 */
async function besideWrites(replica: Replica, change: () => Promise<void>): Promise<void> {
  if (isReftable(replica.gitDir)) await replica.mutex.runExclusive(change);
  else await replica.mutex.beside(change);
}

function keptSince(name: RefName): number {
  return Number.parseInt(toLatin1(name).slice(STAGED_REFS.length), 10);
}
