// Packs the loose refs of a replica, beside reads and pushes.
import { wasKilled } from "../../git/git-error.ts";
import { countLooseRefs, packRefs } from "../../git/refs/pack-refs.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";

/**
 * Packs the refs if there are at least `limit` loose ones. Returns how many there were, 0 when there was nothing to do.
 * Throws GIT_FAILED.
 */
export async function packLooseRefs(
  { git, signal }: Pick<SyncContext, "git" | "signal">,
  replica: Replica,
  limit: number,
): Promise<number> {
  const refs = await countLooseRefs(replica.gitDir);
  if (refs < limit || replica.outOfService) return 0;
  let packing = Promise.resolve();
  // Begun under the mutex, which is then free again: pushes go on beside it. So each holder of the mutex knows whether
  // refs are being packed.
  await replica.mutex.runExclusive(() => {
    packing = replica.mutex.beside(() => packRefs(git, replica.gitDir, signal));
    replica.packingRefs = packing.catch(() => {});
  });
  try {
    await packing;
  } catch (error) {
    // The lock of a killed git would block the refs for a minute. The next access removes it.
    if (wasKilled(error))
      await replica.mutex.runExclusive(() => Object.assign(replica, { applied: undefined, swept: false }));
    throw error;
  }
  return refs;
}
