// Lands what a push of plain git changed after its repository was adopted. Such a push began before the hook was there,
// so it writes refs past Lockstep, and git has told its pusher that all is well. Its changes become a write of their
// own (docs/decisions/0024-pushes-that-began-before.md).
import { randomUUID } from "node:crypto";
import { whyUnacceptable } from "../../acceptable-ref.ts";
import { crashPoint } from "../../crash-points.ts";
import { differenceOf } from "../../digest.ts";
import { displayRef, HEAD, objectIds, type RefName, type Refs, type RefUpdate, type RefValue } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { existingObjects, isConnected } from "../../git/objects/connectivity.ts";
import { readRefs } from "../../git/refs/refs.ts";
import type { ReplicaRecord } from "../../git/root/root-record.ts";
import { syncFileSystem } from "../../io/disk.ts";
import { readAdoption } from "../../store/adopt/adoption.ts";
import { valuesSince } from "../../store/log/digests.ts";
import type { Fold } from "../../store/log/fold.ts";
import { readChanges } from "../../store/log/ref-log.ts";
import { landWrite, settleWrite, stageWrite } from "../../store/write/writes.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { Undecided } from "../turn/abandon.ts";

const AUTHOR = "a push that began before the adoption";

/** Returns true while a push of plain git may still change the files of a replica. */
export async function isLate(context: SyncContext, replica: Replica): Promise<boolean> {
  return (await readAdoption(context.db, context.me.device, replica.id))?.isLate ?? false;
}

/**
 * Lands the refs on this disk that differ from those of the recorded version, if the log still has the recorded values.
 * Returns true when the log has changed, so the caller reads it again. The caller holds the mutex. Refs that cannot
 * land are left to the caller, who keeps them. Throws DATABASE_UNAVAILABLE or TURN_HELD when they may land later.
 */
export async function landLate(
  context: SyncContext,
  replica: Replica,
  record: ReplicaRecord,
  fold: Fold,
): Promise<boolean> {
  const base = await foldAt(context, replica, record, fold);
  if (base === "moved") return true;
  if (base === undefined) return false;
  const onDisk = await readRefs(context.git, replica.gitDir, context.signal);
  const changed = changesOf(base, onDisk, fold.refs);
  if (changed.length === 0) return false;
  const known = await valuesSince(
    context.db,
    replica.id,
    record.version,
    changed.map(({ name, newValue }) => [name, newValue]),
  );
  const late = changed.filter(({ name }) => !known.has(name));
  const updates = await whole(context, replica, late, base);
  if (updates.length === 0) return false;
  // git syncs little of a push by itself.
  await syncFileSystem(replica.gitDir);
  await crashPoint("adopt.late");
  await land(context, replica, fold, updates);
  context.log.warn(
    { repository: replica.name, refs: updates.slice(0, 20).map(({ name }) => displayRef(name)) },
    "a push that began before the adoption has landed as a write of its own",
  );
  return true;
}

/**
 * Returns the refs of the recorded version. undefined: the log does not tell them. Then nothing tells a late push from
 * an old ref. "moved": there is a new head.
 */
async function foldAt(
  { db }: SyncContext,
  { id }: Replica,
  { version }: ReplicaRecord,
  fold: Fold,
): Promise<Refs | undefined | "moved"> {
  if (version === fold.head) return fold.refs;
  const { head, changes, settled } = await readChanges(db, id, version);
  if (head !== fold.head) return "moved";
  if (changes === null || settled) return undefined;
  const refs = new Map(fold.refs);
  for (const { name, oldValue } of changes) {
    if (oldValue === null) refs.delete(name);
    else refs.set(name, oldValue);
  }
  return refs;
}

/** Returns the changes from `base` to the disk, of refs that the log has not changed since. */
function changesOf(base: Refs, onDisk: Refs, head: Refs): RefUpdate[] {
  const names = new Set<RefName>([...base.keys(), ...onDisk.keys()]);
  const value = (refs: Refs, name: RefName): RefValue | null => refs.get(name) ?? null;
  return [...names]
    .map((name) => ({ name, oldValue: value(base, name), newValue: value(onDisk, name) }))
    .filter(({ name, oldValue, newValue }) => oldValue !== newValue && value(head, name) === oldValue)
    .filter((update) => (update.name !== HEAD || update.newValue !== null) && whyUnacceptable(update) === null);
}

/** Returns the updates whose objects are all here; all or none of those that make refs. */
async function whole(
  { git, signal }: SyncContext,
  { gitDir }: Replica,
  updates: readonly RefUpdate[],
  base: Refs,
): Promise<readonly RefUpdate[]> {
  const wants = objectIds(updates.map(({ newValue }) => newValue));
  if (wants.length === 0) return updates;
  const ends = await existingObjects(git, gitDir, objectIds(base.values()), signal);
  if (await isConnected(git, gitDir, wants, ends, { signal })) return updates;
  return updates.filter(({ newValue }) => newValue === null);
}

async function land(
  context: SyncContext,
  { id, name }: Replica,
  { head, digestKey }: Fold,
  updates: readonly RefUpdate[],
): Promise<void> {
  const { db, me, announcer } = context;
  const write = { writeId: randomUUID(), repositoryId: id, author: AUTHOR };
  using undecided = new Undecided(context, write);
  const staged = await stageWrite(db, me, { ...write, base: head, names: updates.map((update) => update.name) });
  if (staged.outcome !== "staged") {
    undecided.leave();
    throw notNowError(name, staged.outcome);
  }
  const landed = await landWrite(db, me, {
    ...write,
    base: head,
    difference: differenceOf(digestKey, updates),
    updates,
  }).catch((error: unknown) => error);
  const isLanded = !(landed instanceof Error) && (landed as { outcome: string }).outcome === "landed";
  const { status } = isLanded ? { status: "landed" } : await settleWrite(db, me, write, "a late push did not land");
  undecided.leave();
  if (status !== "landed") throw notNowError(name, (landed as { outcome?: string }).outcome ?? "an error");
  announcer.announce(id);
}

function notNowError(name: string, outcome: string): LockstepError {
  return new LockstepError(
    "TURN_HELD",
    `A push to ${name} that began before the adoption has changed refs on this device, and cannot land now (${outcome}); it is tried again.`,
    { details: { repository: name } },
  );
}
