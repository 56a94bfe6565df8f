// Checks that the root is still there. If another directory lies at its path (its file system was unmounted, it was
// moved), nothing is known of any replica.
import { LockstepError } from "../../errors.ts";
import { isRootHere } from "../../git/root/root-lock.ts";
import type { SyncContext } from "./context.ts";

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
