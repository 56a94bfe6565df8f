import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { Incarnation } from "../../domain.ts";
import type { DiskRoom } from "../../health/disk-room.ts";
import type { Database } from "../../store/database/database.ts";
import { unavailableError } from "../../store/database/sqlstate.ts";
import { renewLease } from "../../store/device/device-lease.ts";
import { WAITS } from "../../waits.ts";
import { bootClockMs } from "./boot-clock.ts";
import { tellAnswer, tellFailure } from "./tell-outage.ts";

/** The number of servers that may answer a renewal in turn. If even more answer, the renewal fails. */
const SERVERS_LIMIT = 10;

interface Proof {
  /** By the boot clock, before the server was asked. */
  readonly askedAt: number;
  /** The timeline of the server that confirmed the renewal. */
  readonly timeline: string;
}

export interface LeaseEvents {
  /** Called when another incarnation has the device. */
  readonly onFenced: () => void;
  /** Called when another server is the primary: after a fail-over, or when this device has reached the new primary. */
  readonly onFailOver: () => void;
  /** Returns the room on the disk, which each renewal tells the database. It must not wait for the disk. */
  readonly room?: () => DiskRoom | undefined;
}

/** Keeps the lease of this device, and proves to reads that the server is the primary. */
export class Lease {
  readonly #db: Database;
  readonly #me: Incarnation;
  readonly #log: Logger;
  #proof: Proof;
  #renewal: { startedAt: number; done: Promise<void> } | undefined;
  #events: LeaseEvents = { onFenced: () => {}, onFailOver: () => {} };

  constructor(db: Database, me: Incarnation, log: Logger, proof: Proof) {
    this.#db = db;
    this.#me = me;
    this.#log = log;
    this.#proof = proof;
    db.noteTimeline(proof.timeline);
  }

  /** The timeline of the server that confirmed the lease last. */
  get timeline(): string {
    return this.#proof.timeline;
  }

  /** True while the last confirmation is younger than the ttl. */
  get isProven(): boolean {
    return this.provenForMs > 0;
  }

  /** For how long no other device can take this one for gone. */
  get provenForMs(): number {
    return this.#proof.askedAt + WAITS.leaseMs - bootClockMs();
  }

  /**
   * Returns at once while the lease is proven, else after a renewal. Throws DATABASE_UNAVAILABLE when the renewal fails
   * or takes too long. Then another server, with newer pushes, may have replaced the one that answers.
   */
  async prove(): Promise<void> {
    if (this.isProven) return;
    await this.renewSoon();
    if (!this.isProven) {
      throw unavailableError(
        `it has not confirmed this device's lease for ${WAITS.leaseMs / 1000} s: its standby is away, or another server is the primary now`,
      );
    }
  }

  /**
   * Renews the lease, or waits up to WAITS.leaseProofMs for the renewal that is under way. Never rejects: `isProven`
   * shows a failure.
   */
  async renewSoon(): Promise<void> {
    const { startedAt, done } = this.#renew();
    const left = startedAt + WAITS.leaseProofMs - performance.now();
    if (left <= 0) return;
    const enough = new AbortController();
    await Promise.race([
      done.catch(() => {}),
      sleep(left, undefined, { signal: enough.signal, ref: false }).catch(() => {}),
    ]);
    enough.abort();
  }

  /** Renews the lease until `signal` aborts or another incarnation has the device. */
  async keep(events: LeaseEvents, signal: AbortSignal): Promise<void> {
    this.#events = events;
    let pause: number = WAITS.leaseRenewalMs;
    const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    while (!signal.aborted) {
      await sleep(pause, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      try {
        await Promise.race([this.#renew().done, aborted]);
        if (signal.aborted) return;
        tellAnswer({ db: this.#db, log: this.#log });
        pause = WAITS.leaseRenewalMs;
      } catch (error) {
        pause = WAITS.leaseRetryMs;
        // The lease may run out meanwhile. Then reads fail until it is renewed. A new fence would cost more.
        tellFailure({ db: this.#db, log: this.#log }, error, "could not renew the lease, trying again");
      }
    }
  }

  #renew(): { startedAt: number; done: Promise<void> } {
    this.#renewal ??= {
      startedAt: performance.now(),
      done: this.#ask().finally(() => {
        this.#renewal = undefined;
      }),
    };
    return this.#renewal;
  }

  async #ask(): Promise<void> {
    for (let servers = SERVERS_LIMIT; servers > 0; servers -= 1) {
      const askedAt = bootClockMs();
      const before = this.#proof.timeline;
      const timeline = await this.#renewSomewhere(before);
      if (timeline === undefined) return this.#events.onFenced();
      this.#proof = { askedAt, timeline };
      this.#db.noteTimeline(timeline);
      if (timeline === before) return;
      // Older connections may still lead to the old primary.
      this.#db.replaceConnections();
      this.#log.warn({ timeline }, "another server is the primary now");
      this.#events.onFailOver();
      // This device no longer believes the old primary. The new primary decides nothing before it knows that, so it is
      // told at once.
    }
    throw unavailableError("each answer comes from another server than the one before");
  }

  /**
   * Renews the lease. An old primary cannot confirm it, because its standby has left. So if the renewal fails or takes
   * long, the sidecar looks at the other servers of the URL. If one of them is on a newer timeline, the sidecar renews
   * there.
   */
  async #renewSomewhere(timeline: string): Promise<string | undefined> {
    let moved: Promise<boolean> | undefined;
    const goToNewest = () => {
      moved ??= this.#db.goToNewest();
      return moved;
    };
    const late = setTimeout(goToNewest, WAITS.leaseProofMs);
    const room = this.#events.room?.();
    try {
      return await renewLease(this.#db, this.#me, timeline, room);
    } catch (error) {
      if (!(await goToNewest())) throw error;
      return await renewLease(this.#db, this.#me, timeline, room);
    } finally {
      clearTimeout(late);
    }
  }
}
