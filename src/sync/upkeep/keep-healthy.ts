// Looks after the replicas of this device in the background. Orders a gc where the packs need one, and a scrub of each
// replica within --scrub-days. The queue carries them out, one such command at a time.
import { setTimeout as sleep } from "node:timers/promises";
import { enqueueCommand, notifyCommands } from "../../store/command/commands.ts";
import { listCommands } from "../../store/command/find-commands.ts";
import { WAITS } from "../../waits.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { tellFailure } from "../lease/tell-outage.ts";
import { lookAtIdle, rememberArrivals } from "./look-at-idle.ts";
import { Scrubs } from "./scrubs.ts";

/** So few of these commands wait at once, so that an operator's command is not behind hundreds. */
const OPEN_LIMIT = 2;

/** Orders what the replicas need, until the context's signal aborts. */
export async function keepHealthy(context: SyncContext): Promise<void> {
  const scrubs = new Scrubs(context);
  let remembered = false;
  while (!context.signal.aborted) {
    await sleep(WAITS.upkeepMs * (0.8 + 0.4 * Math.random()), undefined, { signal: context.signal }).catch(() => {});
    try {
      if (context.signal.aborted) return;
      if (!remembered) await rememberArrivals(context);
      remembered = true;
      await lookAtIdle(context);
      await orderGc(context);
      await scrubs.order();
    } catch (error) {
      if (!context.signal.aborted) tellFailure(context, error, "could not order what replicas need");
    }
  }
}

/** Orders a gc for the replica that has waited longest, unless enough are under way. Throws DATABASE_UNAVAILABLE. */
export async function orderGc({ db, me, replicas }: SyncContext): Promise<void> {
  const now = performance.now();
  const isDue = ({ gcOrderedAt }: Replica) => gcOrderedAt === undefined || now - gcOrderedAt > WAITS.gcAgainMs;
  const next = [...replicas.awaitGc].find(isDue);
  if (next === undefined) return;
  const { device } = me;
  const open = await listCommands(db, { device, states: ["queued", "running"], limit: 1_000 });
  if (open.filter(({ command }) => command === "gc").length >= OPEN_LIMIT) return;
  next.gcOrderedAt = now;
  replicas.awaitGc.delete(next);
  await enqueueCommand(db, {
    repositoryId: next.id,
    repository: next.name,
    device,
    command: "gc",
    author: device,
    reason: "many new packs, or old unreachable objects",
    daemon: true,
  });
  await notifyCommands(db, [device]);
}
