// Packs loose refs into one file. Every ref that a push or a catch-up writes is a file of its own, which each listing
// of refs has to open.
import { join } from "node:path";
import { isReftable } from "../../io/disk.ts";
import { type GitContext, gitBytes } from "../process.ts";
import { findFiles } from "./stale-locks.ts";

/** Returns the number of loose refs. Costs a walk over them. */
export async function countLooseRefs(gitDir: string): Promise<number> {
  return isReftable(gitDir) ? 0 : (await findFiles(Buffer.from(join(gitDir, "refs")), /^/)).length;
}

/**
 * Puts all refs into packed-refs. Safe beside reads and writes: packed refs are durable before git removes a loose
 * file. It removes each file under the lock of its ref, and only if the ref has not changed. Meanwhile nobody may sweep
 * young locks. Throws GIT_FAILED; then every ref is where it was, or in both places.
 */
export async function packRefs(context: GitContext, gitDir: string, signal: AbortSignal): Promise<void> {
  await gitBytes(context, gitDir, ["pack-refs", "--all"], { signal, writes: true });
}
