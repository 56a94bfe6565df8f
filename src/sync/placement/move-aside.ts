// Moves the files of a copy that was given up to the removed ones.
import { dirname, join } from "node:path";
import { misplacedPath } from "../../git/beside/misplaced.ts";
import { setRemovedAside } from "../../git/beside/removed.ts";
import { STATE_DIR } from "../../git/root/root-record.ts";
import { removeEmptyDirectories } from "../../io/disk.ts";
import type { SyncContext } from "../device/context.ts";
import { type Replica, replicaPath } from "../device/replica.ts";

/**
 * Moves the files to the removed ones, from wherever they lie. The repository may have been renamed or removed while
 * this device was away. Another repository may have needed the place. undefined: there are none.
 */
export async function moveAside(
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
