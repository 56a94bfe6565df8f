// Looks once at a replica to which something came, and then nothing for a while. While pushes come, only every 25th
// looks (replica/tidy.ts), so the last ones before a pause would stay as they are. A look costs a few directories.
import { describe } from "../../errors.ts";
import { needsGc, readPackNeed } from "../../git/packs/pack-need.ts";
import { pushedLately } from "../../store/log/pushed-lately.ts";
import type { SyncContext } from "../device/context.ts";

/** A replica to which nothing came for so long is idle. */
const IDLE_MS = 15 * 60_000;
/** Each clone pays for each pack, so this many are reason enough while the replica rests. */
const PACKS = 10;
/** How many replicas are looked at in one pass. */
const LOOKS = 20;
/** A process that starts looks at the repositories of so many pushes before it. */
const PUSHES = 2_000;

/** Marks the replicas of the last pushes, which may have come to the process before this one. */
export async function rememberArrivals({ db, me, replicas }: SyncContext): Promise<void> {
  for (const repository of await pushedLately(db, me.device, PUSHES)) {
    const replica = replicas.get(repository);
    if (!replicas.arrived.has(replica)) replicas.noteArrival(replica);
  }
}

/** Runs a gc for each idle replica that needs one. `idleMs`: how long nothing has come to an idle one. */
export async function lookAtIdle(context: SyncContext, idleMs = IDLE_MS): Promise<void> {
  const { arrived, awaitGc } = context.replicas;
  const before = performance.now() - idleMs;
  let looks = 0;
  // The one that has rested longest comes first.
  for (const [replica, at] of arrived) {
    if (at > before || looks === LOOKS) return;
    looks += 1;
    arrived.delete(replica);
    try {
      const need = await readPackNeed(replica.gitDir);
      if (need.newPacks >= PACKS || needsGc(need, String(replica.applied ?? ""))) awaitGc.add(replica);
    } catch (error) {
      context.log.warn({ repository: replica.name, err: describe(error) }, "could not look whether a replica needs gc");
    }
  }
}
