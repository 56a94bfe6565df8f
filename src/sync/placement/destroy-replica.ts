// Frees the disk of a copy that was given up, some days later. That is a command of the queue. It may be killed
// anywhere and is then repeated.
import { join } from "node:path";
import { crashPoint } from "../../crash-points.ts";
import { LockstepError } from "../../errors.ts";
import { misplacedPath } from "../../git/beside/misplaced.ts";
import { doomRemoved, freeDoomed, removedPath } from "../../git/beside/removed.ts";
import { wasReplica } from "../../git/replica/repository.ts";
import { hasUnreadableRecord, readReplicaRecord, STATE_DIR } from "../../git/root/root-record.ts";
import { listScratches, removeScratch, scratchOwner, scratchPath } from "../../git/scratch/scratch.ts";
import { unlessFault } from "../../io/disk.ts";
import { readStandings } from "../../store/log/log-standing.ts";
import { destroyReplica } from "../../store/replica/release-replica.ts";
import { forgetPlaces, possiblePlaces } from "../../store/repository/removals.ts";
import type { SyncContext } from "../device/context.ts";
import { type Replica, replicaPath } from "../device/replica.ts";
import { assertRoot } from "../place/assert-root.ts";
import { moveAside } from "./move-aside.ts";
import type { Released } from "./release-replica.ts";

/**
 * Frees the files of the replica that was released at that time, unless it came back or was released again. The release
 * may never have been able to move them aside. Then they are moved first, unless something else lies there by now.
 */
export async function destroyReplicaFiles(context: SyncContext, replica: Replica, released: string): Promise<Released> {
  const { db, me, root, log } = context;
  const stateDir = join(root, STATE_DIR);
  // Under the mutex no catch-up takes the files back.
  const doomed = await replica.mutex.runAsItIs(async () => {
    await assertRoot(context);
    const unmoved = (await possiblePlaces(db, me.device, replica.id))?.unmoved ?? [];
    await assertNotAhead(context, replica, unmoved);
    if ((await destroyReplica(db, me, replica.id, released)) !== "destroyed") return undefined;
    await crashPoint("destroy.recorded");
    await removeScratches(context, replica);
    if (unmoved.length > 0) {
      await moveAside(context, replica, unmoved);
      await forgetPlaces(db, me, replica.id);
    }
    const paths = await doomRemoved(stateDir, replica.id);
    context.replicas.giveUp(replica);
    return paths;
  });
  if (doomed === undefined) return { outcome: { destroyed: false }, changed: false };
  await crashPoint("destroy.doomed");
  await freeDoomed(doomed);
  log.info({ repository: replica.name, directories: doomed.length }, "freed the files of a copy");
  return { outcome: { destroyed: true, directories: doomed.length }, changed: true };
}

/**
 * Throws REPLICA_NEEDED if the files hold a version that the database does not know, or if nobody can tell their
 * version. An older copy of the database may have been restored, which knows nothing of what happened to the repository
 * since.
 */
async function assertNotAhead(context: SyncContext, replica: Replica, unmoved: readonly string[]): Promise<void> {
  const { root, db, me } = context;
  const stateDir = join(root, STATE_DIR);
  const paths = [removedPath(stateDir, replica.id), misplacedPath(stateDir, replica.id)];
  for (const path of [...paths, ...unmoved.map((name) => replicaPath(root, name))]) {
    const isOurs = paths.includes(path) || (await wasReplica(path, replica.id));
    if (isOurs && (await hasUnreadableRecord(path)))
      throw new LockstepError(
        "REPLICA_NEEDED",
        `Nobody can tell the version of files on ${me.device}, since ${path}/lockstep.version is damaged; if nobody needs them, move ${path} out of ${root}.`,
        { details: { device: me.device } },
      );
    const note = await readReplicaRecord(path);
    if (note?.repositoryId !== replica.id) continue;
    const found = (await readStandings(db, [note])).get(replica.id);
    if (found?.standing !== "ahead" && found?.standing !== "diverged") continue;
    throw new LockstepError(
      "REPLICA_NEEDED",
      `Files on ${me.device} are at version ${note.version}, which the database does not know; if nobody needs them, move ${path} out of ${root}.`,
      { details: { device: me.device, version: String(note.version), head: String(found.head) } },
    );
  }
}

/** Removes the scratches of sessions that were dropped with the repository. They waited for it to be restored. */
async function removeScratches({ root }: SyncContext, replica: Replica): Promise<void> {
  const stateDir = join(root, STATE_DIR);
  for (const writeId of await listScratches(stateDir)) {
    const path = scratchPath(stateDir, writeId);
    if ((await scratchOwner(path).catch(unlessFault))?.id === replica.id) await removeScratch(path);
  }
}
