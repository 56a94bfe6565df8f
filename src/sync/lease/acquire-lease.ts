// Takes the device over, with its first lease.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { Incarnation } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import type { Database } from "../../store/database/database.ts";
import { type TakeOverRequest, takeOver } from "../../store/device/device-lease.ts";
import { bootClockMs } from "./boot-clock.ts";
import { Lease } from "./lease.ts";

export interface Taken {
  readonly me: Incarnation;
  readonly previousFence: bigint;
  /** The ids of repositories in which the last incarnation had a write under way. */
  readonly interrupted: string[];
  readonly lease: Lease;
}

/**
 * Takes the device over. If the device was last served from another root, waits for that lease to end. Throws
 * DATABASE_UNAVAILABLE, DEVICE_REMOVED, and SHUTTING_DOWN when `signal` aborts.
 */
export async function acquireLease(
  db: Database,
  request: Omit<TakeOverRequest, "incarnation">,
  log: Logger,
  signal: AbortSignal,
): Promise<Taken> {
  const incarnation = randomUUID();
  // An old primary may be the first of several servers that answers.
  await db.goToNewest();
  for (;;) {
    const askedAt = bootClockMs();
    const taken = await takeOver(db, { ...request, incarnation });
    if (taken.outcome === "taken") {
      const { incarnation: me, previousFence, interrupted, timeline } = taken;
      return { me, previousFence, interrupted, lease: new Lease(db, me, log, { askedAt, timeline }) };
    }
    if (taken.outcome === "removed") throw deviceRemovedError(request.device);
    log.warn({ waitMs: taken.waitMs }, "another root serves this device; waiting for its lease to end");
    await sleep(Math.min(taken.waitMs, 1_000) + 10, undefined, { signal }).catch(() => {
      throw new LockstepError("SHUTTING_DOWN", "Stopped while waiting for the lease of the device.");
    });
  }
}

function deviceRemovedError(device: string): LockstepError {
  return new LockstepError(
    "DEVICE_REMOVED",
    `An operator has removed device ${device} from this cluster; \`lockstep device undrain ${device}\` on another device lets it join again as a new one.`,
    { details: { device } },
  );
}
