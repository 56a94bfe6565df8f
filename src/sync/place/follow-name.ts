// Moves the directory of a replica after its repository was renamed. The device does so when its command comes, at its
// start, or when somebody comes with the new name first.
import { dirname } from "node:path";
import { crashPoint } from "../../crash-points.ts";
import { describe, LockstepError } from "../../errors.ts";
import { clearPlace, moveToPlace } from "../../git/beside/place.ts";
import { wasReplica } from "../../git/replica/repository.ts";
import { exists, removeEmptyDirectories } from "../../io/disk.ts";
import { listMoving, placeOf, recordPlace } from "../../store/repository/former-names.ts";
import type { SyncContext } from "../device/context.ts";
import { type Replica, replicaPath } from "../device/replica.ts";
import { assertRoot } from "./assert-root.ts";

/**
 * Moves the replica to the place of its repository's name as of now. Returns the name whose place it left; undefined:
 * it lay there already. May be killed anywhere and repeated. The known version stays known: git and pushes that are
 * under way go on in the directory, whatever its name. Throws REPLICA_NOT_FOUND, ROOT_GONE, and REPLICA_IN_DOUBT while
 * a session works on the files.
 */
export async function followName(context: SyncContext, replica: Replica): Promise<string | undefined> {
  return await replica.mutex.runExclusive(async () => {
    if (replica.outOfService) throw inUseError(replica);
    return await takePlace(context, replica);
  });
}

/** Does what `followName` does. The caller holds the mutex. */
export async function takePlace(context: SyncContext, replica: Replica): Promise<string | undefined> {
  const { db, me, root, replicas, log } = context;
  await assertRoot(context);
  const { name, places } = await placeOf(db, me.device, replica.id);
  if (name === replica.name && places.length === 0) return undefined;
  const to = replicaPath(root, name);
  const left = await findPlace(
    root,
    replica,
    [replica.name, ...places].filter((each) => each !== name),
  );
  if (left !== undefined) await clearPlace(to);
  if (left !== undefined && !(await exists(to))) {
    await crashPoint("rename.moving");
    const from = replicaPath(root, left);
    await moveToPlace(from, to);
    await removeEmptyDirectories(dirname(from), root);
    await crashPoint("rename.moved");
    log.info({ repository: name, from, path: to }, "moved a replica to the place of its repository's new name");
  }
  replicas.rename(replica, name);
  if (!(await wasReplica(to, replica.id))) {
    // Nothing lies there, or something else: recovery decides. Nothing is written there.
    Object.assign(replica, { applied: undefined });
    replica.mutex.mistrusted = true;
    return undefined;
  }
  await recordPlace(db, me, replica.id, name);
  await crashPoint("rename.noted");
  return left;
}

async function findPlace(root: string, replica: Replica, names: readonly string[]): Promise<string | undefined> {
  for (const name of new Set(names)) if (await wasReplica(replicaPath(root, name), replica.id)) return name;
  return undefined;
}

/** Moves the replicas of repositories that were renamed while this device was away. */
export async function followNames(context: SyncContext): Promise<void> {
  for (const moving of await listMoving(context.db, context.me.device)) {
    const replica = context.replicas.get(moving);
    await followName(context, replica).catch((error: unknown) =>
      context.log.warn(
        { repository: moving.name, err: describe(error) },
        "could not move a replica to its new place yet, trying again at its next touch",
      ),
    );
  }
}

function inUseError({ name }: Replica): LockstepError {
  return new LockstepError(
    "REPLICA_IN_DOUBT",
    `The replica of ${name} moves to its new name once the session that works on its files has ended; ask another device.`,
    { details: { repository: name } },
  );
}
