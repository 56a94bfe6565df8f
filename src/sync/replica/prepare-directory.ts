// Turns the files at the place of a replica into a replica again. It makes missing parts anew and moves files aside
// that do not belong there. A comparison with the log then tells which refs the replica has.
import { lstat, rm } from "node:fs/promises";
import { join } from "node:path";
import { crashPoint } from "../../crash-points.ts";
import { LockstepError } from "../../errors.ts";
import { isMisplaced, setMisplacedAside, takeMisplacedBack } from "../../git/beside/misplaced.ts";
import { clearPlace, moveToPlace } from "../../git/beside/place.ts";
import { takeRemovedBack } from "../../git/beside/removed.ts";
import { assertAlone } from "../../git/borrowing/borrowing.ts";
import { placeAside } from "../../git/replica/aside.ts";
import { mendParts } from "../../git/replica/mend-parts.ts";
import {
  ensureSettings,
  inspect,
  makeReplica,
  type ReplicaSettings,
  wasReplica,
} from "../../git/replica/repository.ts";
import { assertRights } from "../../git/replica/rights.ts";
import { type ReplicaRecord, readReplicaRecord, STATE_DIR } from "../../git/root/root-record.ts";
import { assertHeld, replicaName, replicaWasHere } from "../../store/replica/replicas.ts";
import { recordPlace } from "../../store/repository/former-names.ts";
import type { SyncContext } from "../device/context.ts";
import { type Replica, replicaPath } from "../device/replica.ts";
import { assertRoot } from "../place/assert-root.ts";
import { takePlace } from "../place/follow-name.ts";
import { putInDoubt, recordLess } from "./apply.ts";
import { takeOverDirectory } from "./take-over.ts";

/**
 * Prepares the directory of a replica. The caller holds the mutex. Throws ROOT_GONE, REPLICA_NOT_FOUND,
 * NOT_A_REPOSITORY when the files have never been this replica, PREREQUISITE_MISSING when this process may not read or
 * write them.
 */
export async function prepareDirectory(context: SyncContext, replica: Replica): Promise<void> {
  const { root, socketDir, shim } = context;
  await assertRoot(context);
  const stateDir = join(root, STATE_DIR);
  const settings = { repositoryId: replica.id, socketDir, shim };
  const found = await findReplica(context, replica, stateDir);
  if (found === "replica") return await ensureSettings(replica.gitDir, settings);
  // A catch-up that began before this device gave its copy up makes no new one.
  await assertHeld(context.db, context.me.device, replica.id);
  // What lay in the way has moved aside: the replica may lie at the place of an earlier name.
  if ((await takePlace(context, replica)) !== undefined) return await ensureSettings(replica.gitDir, settings);
  // The recorded version is not on this disk, so no device may take this one for a source of it.
  await recordLess(context, replica, 0n);
  replica.holds = undefined;
  const isBack =
    (await takeMisplacedBack(replica.gitDir, stateDir, replica.id)) ||
    (await takeRemovedBack(replica.gitDir, stateDir, replica.id));
  if (isBack) await crashPoint("restore.taken");
  if (isBack) await ensureSettings(replica.gitDir, settings);
  else await createReplica(context, replica, stateDir, settings);
  await recordPlace(context.db, context.me, replica.id, replica.name, { isNew: !isBack });
}

async function createReplica(
  { git, refFormat }: SyncContext,
  { gitDir, objectFormat }: Replica,
  stateDir: string,
  settings: ReplicaSettings,
): Promise<void> {
  const aside = await makeReplica(git, stateDir, { ...settings, objectFormat, refFormat });
  try {
    await moveToPlace(aside, gitDir);
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    throw error;
  }
}

/** Returns the note beside the replica, if it is one of this repository. */
export async function noteOf(replica: Replica): Promise<ReplicaRecord | undefined> {
  const record = await readReplicaRecord(replica.gitDir);
  return record?.repositoryId === replica.id ? record : undefined;
}

/** Moves files aside that do not belong to the replica, and says whether the replica is there. */
async function findReplica(context: SyncContext, replica: Replica, stateDir: string): Promise<"absent" | "replica"> {
  const { id, name, gitDir } = replica;
  let owner = id;
  await clearPlace(gitDir);
  try {
    if (await lstat(gitDir).catch(() => undefined)) await mend(context, replica);
    if ((await inspect(context.git, gitDir, id)) === "absent") return "absent";
    // A replica that was made anew and has received nothing yet makes room for the one that was moved aside.
    if ((await noteOf(replica)) || !(await isMisplaced(stateDir, id))) return "replica";
    owner = `${id}-new`;
  } catch (error) {
    if (!(error instanceof LockstepError && error.code === "NOT_A_REPOSITORY")) throw error;
    owner = error.details.repositoryId ?? `${id}-broken`;
    if (!(await isMisplacedReplica(context, error)) && !(await wasHere(context, replica))) {
      if (await takeOverDirectory(context, replica)) return "replica";
      throw occupiedError(context, replica, error);
    }
  }
  const aside = await setMisplacedAside(gitDir, stateDir, owner);
  context.log.warn(
    { repository: name, path: gitDir, aside },
    "moved aside files that are not this repository's replica",
  );
  await fetchFromPlaceOf(context, replica, owner, stateDir);
  return "absent";
}

/**
 * Finds this replica when two directories were exchanged. It then lies at the place of the repository whose files lay
 * here, and may be the only copy. It is moved to the place for files that were moved aside, from which the caller takes
 * it. The next access to the other replica finds that one there too.
 */
async function fetchFromPlaceOf(
  context: SyncContext,
  replica: Replica,
  ownerId: string,
  stateDir: string,
): Promise<void> {
  if (!/^[0-9a-f-]{36}$/.test(ownerId) || ownerId === replica.id) return;
  const name = await replicaName(context.db, context.me.device, ownerId).catch(() => undefined);
  if (name === undefined) return;
  const there = replicaPath(context.root, name);
  if (!(await wasReplica(there, replica.id)) || (await isMisplaced(stateDir, replica.id))) return;
  await setMisplacedAside(there, stateDir, replica.id);
  context.log.warn({ repository: replica.name, path: there }, "found this replica at the place of another repository");
}

async function mend(context: SyncContext, replica: Replica): Promise<void> {
  await assertRights(replica.gitDir);
  // Otherwise git's failure would look like a directory that is no repository.
  assertAlone(replica.gitDir);
  if (!(await wasReplica(replica.gitDir, replica.id))) return;
  const aside = placeAside(context.root, replica.id);
  const made = await mendParts(context.git, replica, aside, () => putInDoubt(replica));
  if (made.length === 0) return;
  context.log.warn({ repository: replica.name, path: replica.gitDir, made }, "made missing parts of a replica anew");
}

/** Returns whether the files belong to another replica of this device, which finds them at the place for such files. */
async function isMisplacedReplica(context: SyncContext, { details }: LockstepError): Promise<boolean> {
  if (details.repositoryId === undefined) return false;
  return await replicaName(context.db, context.me.device, details.repositoryId).then(
    () => true,
    (error: unknown) => {
      // The database may have forgotten it. Then the files may be the only copy of acknowledged pushes.
      if (error instanceof LockstepError && error.code === "REPLICA_NOT_FOUND") return false;
      throw error;
    },
  );
}

/** Makes the error for files at the place of a replica that this device has never had. They are not touched. */
function occupiedError(context: SyncContext, { name, gitDir }: Replica, error: LockstepError): LockstepError {
  const { what } = error.details;
  if (what === undefined) return error;
  return new LockstepError(
    "NOT_A_REPOSITORY",
    `Device ${context.me.device} has ${gitDir}, but it ${what}, and nothing of it is touched. Move it away, and the ` +
      `replica is made from the other devices, or take it in with \`lockstep repo adopt ${name}\` there.`,
    { cause: error, details: error.details },
  );
}

/** Returns whether this device has ever had the replica. If not, the files at its place belong to an operator. */
async function wasHere(context: SyncContext, replica: Replica): Promise<boolean> {
  const way = await lstat(replica.gitDir).catch(() => undefined);
  return way !== undefined && (await replicaWasHere(context.db, context.me.device, replica.id));
}
