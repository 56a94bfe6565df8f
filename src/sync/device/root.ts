// The root itself: where another directory lies at its path (its file system was unmounted, it was moved), nothing is known of any replica.
import { LockstepError } from "../../errors.ts";
import { isRootHere } from "../../git/root/root-lock.ts";
import type { SyncContext } from "./context.ts";

/** Throws ROOT_GONE. To be called before a replica is taken for lost, and before anything is made in the root. */
export async function assertRoot({ root, git }: Pick<SyncContext, "root" | "git">): Promise<void> {
  if (await isRootHere(root, git.lockFd)) return;
  throw new LockstepError(
    "ROOT_GONE",
    `At ${root} is not the directory that this sidecar serves: it was moved, replaced or unmounted. Nothing is read or written there; put it back, or restart the sidecar if another one belongs there.`,
    { details: { path: root } },
  );
}
