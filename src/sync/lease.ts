// The device's lease: taken over at the start, renewed while the process lives. A lost lease stops all work.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { Incarnation } from "../domain.ts";
import { LockstepError } from "../errors.ts";
import type { Database } from "../store/database.ts";
import { LEASE_RENEWAL_MS, renewLease, type TakeOverRequest, takeOver } from "../store/device-lease.ts";
import { tellAnswer, tellFailure } from "./outage.ts";

export interface Taken {
  readonly me: Incarnation;
  readonly previousFence: bigint;
  /** Repositories in which the last incarnation had a write under way. */
  readonly interrupted: string[];
}

/** Takes the device over, waiting for the lease if it was last served from another root. Throws DATABASE_UNAVAILABLE. */
export async function acquireLease(
  db: Database,
  request: Omit<TakeOverRequest, "incarnation">,
  log: Logger,
  signal: AbortSignal,
): Promise<Taken> {
  const incarnation = randomUUID();
  for (;;) {
    const taken = await takeOver(db, { ...request, incarnation });
    if (taken.outcome === "taken") {
      return { me: taken.incarnation, previousFence: taken.previousFence, interrupted: taken.interrupted };
    }
    log.warn({ waitMs: taken.waitMs }, "another root serves this device; waiting for its lease to end");
    await sleep(Math.min(taken.waitMs, 1_000) + 10, undefined, { signal }).catch(() => {
      throw new LockstepError("SHUTTING_DOWN", "Stopped while waiting for the lease of the device.");
    });
  }
}

/** After a renewal that failed: a lease that ran out while the database was away keeps other devices from asking this one. */
const RETRY_MS = 500;

/** Renews until `signal` aborts, or calls `onFenced` when another incarnation has the device. */
export async function keepLease(
  db: Database,
  me: Incarnation,
  log: Logger,
  onFenced: () => void,
  signal: AbortSignal,
): Promise<void> {
  let pause: number = LEASE_RENEWAL_MS;
  while (!signal.aborted) {
    await sleep(pause, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    try {
      if (!(await renewLease(db, me))) return onFenced();
      pause = LEASE_RENEWAL_MS;
      tellAnswer({ db, log });
    } catch (error) {
      pause = RETRY_MS;
      // The lease may run out meanwhile; that alone costs this device nothing, a new fence would.
      tellFailure({ db, log }, error, "could not renew the lease, trying again");
    }
  }
}
