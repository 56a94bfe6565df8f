// Before a sidecar ends: what nobody else has would be gone from the cluster until it is back, for reads and for writes. The pack
// server still runs then, and the others, who have been told, come and fetch it.
import { setTimeout as sleep } from "node:timers/promises";
import { describe } from "../../errors.ts";
import { listHeldAlone } from "../../store/hand-over.ts";
import type { SyncContext } from "./context.ts";

const LOOK_MS = 50;

/**
 * Returns when every head that this device holds is held by another live device too, if there is one that has a replica; at the
 * latest after `graceMs`, and at once where the database does not answer. Never rejects.
 */
export async function handOver(context: SyncContext, graceMs: number): Promise<void> {
  const deadline = performance.now() + graceMs;
  for (;;) {
    const alone = await listHeldAlone(context.db, context.me.device, context.replicas.ids()).catch((error: unknown) => {
      context.log.warn({ err: describe(error) }, "could not find out whether others have what this device has");
      return [];
    });
    if (alone.length === 0 || context.signal.aborted) return;
    if (performance.now() > deadline) {
      context.log.warn(
        { repositories: alone.slice(0, 20) },
        "stops although no other live device has the heads of these",
      );
      return;
    }
    await sleep(LOOK_MS, undefined, { signal: context.signal }).catch(() => {});
  }
}
