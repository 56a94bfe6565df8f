// Hands heads over before a sidecar ends. If this device alone had the head of a repository, nobody could read or write
// the repository until the device is back. The pack server still runs, and the other devices, which have been notified,
// fetch the head.
import { setTimeout as sleep } from "node:timers/promises";
import { describe } from "../../errors.ts";
import { listHeldAlone } from "../../store/replica/hand-over.ts";
import type { SyncContext } from "./context.ts";

const LOOK_MS = 50;

/**
 * Waits until the database has the versions of this device's replicas: then the next sidecar need not compare them with
 * the log. Returns when another live device holds every head that this device holds. A repository without a replica on
 * another live device does not count. Returns at the latest after `graceMs`, and at once when the database does not
 * answer. Never rejects.
 */
export async function handOver(context: SyncContext, graceMs: number): Promise<void> {
  const deadline = performance.now() + graceMs;
  await Promise.race([context.replicas.recorded(), sleep(Math.max(0, graceMs), undefined, { ref: false })]);
  for (;;) {
    const alone = await listHeldAlone(context.db, context.me.device, context.replicas.ids()).catch((error: unknown) => {
      context.log.warn({ err: describe(error) }, "could not find out whether other devices hold the heads of this one");
      return [];
    });
    if (alone.length === 0 || context.signal.aborted) return;
    if (performance.now() > deadline) {
      context.log.warn(
        { repositories: alone.slice(0, 20) },
        "stops although no other live device has the heads of these repositories",
      );
      return;
    }
    await sleep(LOOK_MS, undefined, { signal: context.signal }).catch(() => {});
  }
}
