// Gives up the copy of a repository that this device shall not hold any more, and frees its disk some days later. Both
// are commands of the queue. They may be killed anywhere and are then repeated.
import { dirname, join } from "node:path";
import { crashPoint } from "../../crash-points.ts";
import { LockstepError } from "../../errors.ts";
import { misplacedPath } from "../../git/beside/misplaced.ts";
import { doomRemoved, freeDoomed, noteOfRemoved, setRemovedAside } from "../../git/beside/removed.ts";
import { STATE_DIR } from "../../git/root/root-record.ts";
import { listScratches, removeScratch, scratchPath } from "../../git/scratch/scratch.ts";
import { removeEmptyDirectories } from "../../io/disk.ts";
import { readStandings } from "../../store/log/log-standing.ts";
import { destroyReplica, releaseReplica as release } from "../../store/replica/release-replica.ts";
import { forgetPlaces, possiblePlaces, writesOf } from "../../store/repository/removals.ts";
import type { SyncContext } from "../device/context.ts";
import { endAsFenced } from "../device/end-as-fenced.ts";
import { type Replica, replicaPath } from "../device/replica.ts";
import { assertRoot } from "../place/assert-root.ts";
import { endLive, outOfServiceError } from "../replica/out-of-service.ts";

/** The outcome of both commands, for people and programs. */
export interface Released {
  readonly outcome: Readonly<Record<string, unknown>>;
  readonly changed: boolean;
}

/**
 * Releases the replica, and moves its files to the removed ones, where they stay for `keepDays`. The database decides;
 * until then the replica serves reads. Throws REPLICA_NEEDED while the other devices lack something, and
 * INVALID_REQUEST if this device shall hold the repository. If the repository was removed, no device needs it.
 * `decided`: a removal or another placement gave the command. Then nothing happens if the repository was restored, or
 * placed here again, since.
 */
export async function releaseReplica(
  context: SyncContext,
  replica: Replica,
  { keepDays, decided }: { keepDays: number; decided: boolean },
): Promise<Released> {
  const { db, me, log } = context;
  // Under the mutex no push of this device is under way, and no catch-up writes.
  return await replica.mutex.runAsItIs(async () => {
    const places = await possiblePlaces(db, me.device, replica.id);
    if (replica.outOfService && !places?.removed) throw outOfServiceError(replica.name, replica.outOfService);
    // The session on its files was dropped with the repository.
    if (replica.outOfService) await endLive(context, replica);
    await assertRoot(context);
    const { outcome, lacking, changed } = await release(db, me, replica.id, keepDays);
    if (outcome === "fenced") throw endAsFenced(context);
    if (outcome === "wanted" && decided) return { outcome: { released: false }, changed };
    if (outcome === "wanted") throw wantedError(context, replica);
    if (outcome !== "released" && outcome !== "missing") throw neededError(context, replica, outcome, lacking);
    Object.assign(replica, { applied: undefined, recorded: 0n, holds: undefined, failure: undefined, swept: false });
    if (!places?.removed) context.replicas.forget(replica);
    await crashPoint("release.recorded");
    const path = await moveAside(context, replica, places?.names ?? []);
    // Another repository may have the name, so nobody finds its directory through this object. The object stays: if the
    // repository is restored, all share its mutex.
    if (places?.removed) context.replicas.rename(replica, `.removed/${replica.id}`);
    await crashPoint("release.moved");
    await forgetPlaces(db, me, replica.id);
    if (path !== undefined) log.info({ repository: replica.name, path }, "gave up a copy and kept its files");
    return { outcome: { released: outcome === "released", path: path ?? null }, changed };
  });
}

/**
 * Moves the files to the removed ones, from wherever they lie. The repository may have been renamed or removed while
 * this device was away. Another repository may have needed the place. undefined: there are none.
 */
async function moveAside(
  context: SyncContext,
  replica: Replica,
  names: readonly string[],
): Promise<string | undefined> {
  const { root } = context;
  const stateDir = join(root, STATE_DIR);
  for (const name of new Set([replica.name, ...names])) {
    const gitDir = replicaPath(root, name);
    const path = await setRemovedAside(gitDir, stateDir, replica.id);
    if (path === undefined) continue;
    await removeEmptyDirectories(dirname(gitDir), root);
    return path;
  }
  return await setRemovedAside(misplacedPath(stateDir, replica.id), stateDir, replica.id);
}

/** Frees the files of the replica that was released at that time, unless it came back or was released again. */
export async function destroyReplicaFiles(context: SyncContext, replica: Replica, released: string): Promise<Released> {
  const { db, me, root, log } = context;
  const stateDir = join(root, STATE_DIR);
  // Under the mutex no catch-up takes the files back.
  const doomed = await replica.mutex.runAsItIs(async () => {
    await assertRoot(context);
    await assertNotAhead(context, replica);
    if ((await destroyReplica(db, me, replica.id, released)) !== "destroyed") return undefined;
    context.replicas.forget(replica);
    await crashPoint("destroy.recorded");
    await removeScratches(context, replica);
    return await doomRemoved(stateDir, replica.id);
  });
  if (doomed === undefined) return { outcome: { destroyed: false }, changed: false };
  await crashPoint("destroy.doomed");
  await freeDoomed(doomed);
  log.info({ repository: replica.name, directories: doomed.length }, "freed the files of a copy");
  return { outcome: { destroyed: true, directories: doomed.length }, changed: true };
}

/**
 * Throws REPLICA_NEEDED if the files hold a version that the database does not know. An older copy of the database may
 * have been restored, which knows nothing of what happened to the repository since.
 */
async function assertNotAhead(context: SyncContext, replica: Replica): Promise<void> {
  const note = await noteOfRemoved(join(context.root, STATE_DIR), replica.id);
  if (note === undefined) return;
  const found = (await readStandings(context.db, [note])).get(replica.id);
  if (found?.standing !== "ahead" && found?.standing !== "diverged") return;
  throw new LockstepError(
    "REPLICA_NEEDED",
    `Files on ${context.me.device} are at version ${note.version}, which the database does not know; if nobody needs them, move ${replica.id}.git out of ${join(context.root, STATE_DIR, "removed")}.`,
    { details: { device: context.me.device, version: String(note.version), head: String(found.head) } },
  );
}

/** Removes the scratches of sessions that were dropped with the repository. They waited for it to be restored. */
async function removeScratches({ db, root }: SyncContext, replica: Replica): Promise<void> {
  const stateDir = join(root, STATE_DIR);
  const scratches = await listScratches(stateDir);
  const own = scratches.length === 0 ? [] : await writesOf(db, replica.id, scratches);
  for (const writeId of own) await removeScratch(scratchPath(stateDir, writeId));
}

function wantedError({ me }: SyncContext, { name }: Replica): LockstepError {
  return new LockstepError(
    "INVALID_REQUEST",
    `Device ${me.device} shall hold ${name}, so its copy stays; change the placement first with \`lockstep repo set ${name} --devices A,B\`.`,
    { details: { device: me.device, repository: name } },
  );
}

function neededError(
  { me }: SyncContext,
  { name }: Replica,
  outcome: "needed" | "writing" | "stopped",
  lacking: readonly string[] | null,
): LockstepError {
  const why = {
    needed: lacking?.length ? `${lacking.join(", ")} do not have everything yet` : "no other device holds it",
    writing: "a write is under way there",
    stopped: "an operator has to decide first which refs stay",
  }[outcome];
  return new LockstepError(
    "REPLICA_NEEDED",
    `The copy of ${name} on ${me.device} is still needed: ${why}. It is released by itself once that has changed; \`lockstep repo show ${name}\` tells.`,
    { details: { device: me.device, repository: name } },
  );
}
