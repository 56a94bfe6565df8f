// Looks whether the root is the directory that this device served before.
import { join, resolve } from "node:path";
import { LockstepError } from "../../errors.ts";
import { holdsNothing, type Place, whereIs } from "../../git/root/mount-point.ts";
import { isRootHere } from "../../git/root/root-lock.ts";
import { STATE_DIR } from "../../git/root/root-record.ts";
import type { Database } from "../../store/database/database.ts";
import { type RootPlace, recordedRoot } from "../../store/device/device-root.ts";
import type { SyncContext } from "../device/context.ts";

/**
 * Throws ROOT_GONE when another directory lies at the path of the root. Call it before a replica is taken for lost, and
 * before anything is made in the root.
 */
export async function assertRoot({ root, git }: Pick<SyncContext, "root" | "git">): Promise<void> {
  if (await isRootHere(root, git.lockFd)) return;
  throw new LockstepError(
    "ROOT_GONE",
    `The directory at ${root} is not the one that this sidecar serves: that one was moved, replaced or unmounted. Nothing is read or written there; put it back, or restart the sidecar if another directory belongs there.`,
    { details: { path: root } },
  );
}

/**
 * Throws ROOT_GONE when the root is empty, the device had replicas on it, and its disk seems not to be mounted. Call it
 * before anything is made there. Without this check the sidecar would take every replica for lost and copy all of them
 * onto the wrong disk (docs/decisions/0015-an-empty-root.md).
 */
export async function assertMounted(db: Database, device: string, givenRoot: string): Promise<void> {
  const path = resolve(givenRoot);
  if (!(await holdsNothing(path))) return;
  const before = await recordedRoot(db, device);
  if (before === undefined || !lacksItsDisk(before, { path, ...(await whereIs(path)) })) return;
  throw new LockstepError(
    "ROOT_GONE",
    `The root ${path} is empty, and device ${device} had replicas there (its file system began at ${before.mount}): mount its disk, and start again. If this is a new disk on purpose, run \`mkdir -p ${join(path, STATE_DIR)}\`; the replicas are then copied anew from the other devices.`,
    { details: { path } },
  );
}

/** Returns whether the disk of an empty root at `now` is probably not mounted. */
export function lacksItsDisk(before: RootPlace, now: Place & { readonly path: string }): boolean {
  // The operator configured another root.
  if (before.path !== now.path) return false;
  // A file system is mounted there, perhaps a new one.
  if (now.mounted) return false;
  if (before.mount !== now.mount && before.mount.startsWith(now.mount)) return true;
  // If the directory is the same or gone, its content was removed: an unmount leaves another directory.
  return now.place !== undefined && now.place !== before.place;
}
