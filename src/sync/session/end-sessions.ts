// Ends write sessions. It keeps the changes of a dropped session and removes its scratch. It also ends sessions whose
// caller, sidecar or device died, and those whose lease ran out.

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { hashedName, keptName } from "../../acceptable-ref.ts";
import { crashPoint } from "../../crash-points.ts";
import { displayRef, isSymbolic, PRIVATE_REFS, type RefName } from "../../domain.ts";
import { describe } from "../../errors.ts";
import { noteKept } from "../../git/beside/kept-notes.ts";
import { clash } from "../../git/refs/ref-paths.ts";
import { readRefNames } from "../../git/refs/refs.ts";
import { STATE_DIR } from "../../git/root/root-record.ts";
import { liveWrite } from "../../git/scratch/live-note.ts";
import {
  listScratches,
  pointScratch,
  removeHalfMade,
  removeScratch,
  scratchOwner,
  scratchPath,
} from "../../git/scratch/scratch.ts";
import { findScratch, type ScratchChanges, takeObjects, wholeUpdates } from "../../git/scratch/scratch-changes.ts";
import { RefTransaction } from "../../git/transactions/ref-transaction.ts";
import { exists, unlessFault } from "../../io/disk.ts";
import { commandedReplica } from "../../store/command/find-commands.ts";
import { dropExpiredSessions, type SessionEnd, sessionEnds } from "../../store/write/sessions.ts";
import { Stopwatch } from "../../telemetry/stopwatch.ts";
import { WAITS } from "../../waits.ts";
import type { SyncContext } from "../device/context.ts";
import { replicaPath } from "../device/replica.ts";
import { tellFailure } from "../lease/tell-outage.ts";
import { beforeRead } from "../read/before-read.ts";
import { endLiveOf, endLiveOfAll } from "../replica/out-of-service.ts";

/**
 * Ends a session that is over. Keeps the changes of a dropped session below refs/lockstep/dropped/<write>/ in this
 * replica, and removes its scratch. Returns the names of the kept refs, also if an earlier call kept them. Idempotent.
 */
export async function endScratch(context: SyncContext, writeId: string, begunAs: string): Promise<RefName[]> {
  const path = scratchPath(join(context.root, STATE_DIR), writeId);
  const clock = new Stopwatch();
  const end = (await sessionEnds(context.db, [writeId])).get(writeId);
  if (end?.status === "landed") {
    await removeScratch(path);
    return [];
  }
  const owner = end ?? (await ownerNow(context, path));
  // The scratch waits: if the repository is restored, its changes are kept.
  if (owner?.removed) return [];
  const repository = owner?.repository ?? begunAs;
  // The repository was renamed since the session began. Its replica moves first, and then the scratch finds its
  // objects.
  if (repository !== begunAs) {
    await beforeRead(context, repository, { signal: context.signal });
    await pointScratch(path, replicaPath(context.root, repository));
  }
  await endLiveOf(context, repository, writeId);
  // An earlier incarnation began the session on the files of the replica. The first access to the replica ends that
  // work.
  if ((await liveWrite(replicaPath(context.root, repository))) === writeId)
    await beforeRead(context, repository, { signal: context.signal });
  const changes = await findScratch(context.git, path, context.signal);
  if (changes !== undefined) await keepChanges(context, { writeId, repository, path }, changes);
  const kept = await keptRefs(context, repository, writeId);
  await crashPoint("session.kept");
  await removeScratch(path);
  if (changes !== undefined) {
    const { author, heldMs, dropReason: reason } = end ?? {};
    const { durationMs } = clock;
    context.log.info(
      { repository, write: writeId, author, reason, kept: kept.length, heldMs, durationMs },
      "session dropped",
    );
  }
  return kept;
}

/**
 * Ends a session, as `endScratch` does, after its caller has got an answer. Never rejects: `endSessions` tries again.
 */
export async function endScratchOrLater(context: SyncContext, writeId: string, repository: string): Promise<void> {
  await endScratch(context, writeId, repository).catch((error: unknown) =>
    context.log.warn(
      { repository, write: writeId, err: describe(error) },
      "could not end a write session, trying again",
    ),
  );
}

/**
 * Returns the repository of a scratch whose outcome the database has trimmed. By now another repository may have the
 * name that it had. Counts as removed where this device has no record of its replica. undefined: there is no scratch,
 * or its caller has changed the file.
 */
async function ownerNow(
  context: SyncContext,
  path: string,
): Promise<Pick<SessionEnd, "repository" | "removed"> | undefined> {
  const id = (await scratchOwner(path).catch(unlessFault))?.id;
  if (id === undefined) return undefined;
  const replica = await commandedReplica(context.db, context.me.device, id);
  return { repository: replica?.name ?? "", removed: replica?.removed ?? true };
}

async function keepChanges(
  context: SyncContext,
  { writeId, repository, path }: { writeId: string; repository: string; path: string },
  changes: ScratchChanges,
): Promise<void> {
  const { git, signal } = context;
  const pointed = changes.updates.filter(({ newValue }) => newValue !== null && !isSymbolic(newValue));
  const whole = await wholeUpdates(git, path, { ...changes, updates: pointed }, signal);
  const lost = pointed.filter((update) => !whole.includes(update)).map(({ name }) => displayRef(name));
  if (lost.length > 0)
    context.log.warn(
      { repository, write: writeId, refs: lost },
      "refs of a dropped write cannot be kept: objects are missing",
    );
  if (whole.length === 0) return;
  const { replica } = await beforeRead(context, repository, { signal });
  await takeObjects(git, path, replica.gitDir, { ...changes, updates: whole }, signal);
  const below = droppedRefs(writeId);
  let kept = whole.map(({ name, newValue }) => ({ name: keptName(below, name), newValue }));
  // A person may have made refs by hand that no git holds side by side.
  if (clash(kept.map(({ name }) => name)))
    kept = whole.map(({ name, newValue }) => ({ name: hashedName(below, name), newValue }));
  await noteKept(join(context.root, STATE_DIR), replica.id);
  await replica.mutex.runExclusive(async () => {
    await using transaction = new RefTransaction(git, replica.gitDir, { count: kept.length });
    const refusal = await transaction.prepare(kept);
    if (refusal) throw new Error(refusal.message);
    await transaction.commit();
  });
}

async function keptRefs(context: SyncContext, repository: string, writeId: string): Promise<RefName[]> {
  const gitDir = replicaPath(context.root, repository);
  // The session was one of another device, and this one has no replica.
  if (!(await exists(gitDir))) return [];
  return await readRefNames(context.git, gitDir, droppedRefs(writeId));
}

function droppedRefs(writeId: string): string {
  return `${PRIVATE_REFS}dropped/${writeId}/`;
}

/** Drops sessions that nobody renews, and ends those that are over, until the context's signal aborts. */
export async function endSessions(context: SyncContext): Promise<void> {
  while (!context.signal.aborted) {
    try {
      await dropExpiredSessions(context.db);
      await endThoseThatAreOver(context);
    } catch (error) {
      if (!context.signal.aborted) tellFailure(context, error, "could not look after write sessions");
    }
    await sleep(WAITS.sessionLookMs, undefined, { signal: context.signal }).catch(() => {});
  }
}

async function endThoseThatAreOver(context: SyncContext): Promise<void> {
  const stateDir = join(context.root, STATE_DIR);
  const live = context.replicas.outOfService().flatMap(({ outOfService }) => outOfService?.writeId ?? []);
  const writeIds = [...live, ...(await listScratches(stateDir))];
  if (writeIds.length === 0) return;
  const ends = await sessionEnds(context.db, writeIds);
  // A session that began after the question is in no answer.
  await endLiveOfAll(context, (writeId) => live.includes(writeId) && ends.get(writeId)?.status !== "staged");
  for (const writeId of writeIds) {
    context.signal.throwIfAborted();
    if (ends.get(writeId)?.status === "staged" || ends.get(writeId)?.removed) continue;
    const path = scratchPath(stateDir, writeId);
    await removeHalfMade(path);
    const owner = await scratchOwner(path).catch(() => undefined);
    if (owner === undefined) continue;
    await context.sessions.exclusively(writeId, () => endScratchOrLater(context, writeId, owner.name));
  }
}
