// Gives a device that is new, or stopped draining, the rows of the replicas that it shall have. It goes through all
// repositories in the background, in short transactions. The follower then copies them.
import { setTimeout as sleep } from "node:timers/promises";
import { isUnplaced, placeReplicas as place } from "../../store/replica/placement.ts";
import { WAITS } from "../../waits.ts";
import type { SyncContext } from "../device/context.ts";
import { tellFailure } from "../lease/tell-outage.ts";

/** How many repositories one transaction looks at. */
const BATCH = 2_000;

/** Places replicas until the context's signal aborts. `onPlaced` is called after each batch with new rows. */
export async function keepPlaced(context: SyncContext, onPlaced: () => void): Promise<void> {
  const { signal } = context;
  while (!signal.aborted) {
    try {
      if (await isUnplaced(context.db, context.me.device)) await placeAll(context, onPlaced);
    } catch (error) {
      if (!signal.aborted) tellFailure(context, error, "could not place replicas on this device");
    }
    await sleep(WAITS.placeReplicasMs * (0.8 + 0.4 * Math.random()), undefined, { signal }).catch(() => {});
  }
}

/** Places the replicas of all repositories once. May be repeated, and may end anywhere. */
async function placeAll(context: SyncContext, onPlaced: () => void): Promise<void> {
  let made = 0;
  let after: string | undefined;
  do {
    const batch = await place(context.db, context.me, { after, limit: BATCH });
    after = batch.last;
    made += batch.made;
    if (batch.made > 0) onPlaced();
  } while (after !== undefined && !context.signal.aborted);
  if (made > 0)
    context.log.info({ replicas: made }, "this device has joined: it copies the repositories of the cluster");
}
