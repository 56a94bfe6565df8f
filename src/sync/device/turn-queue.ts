// The tickets of this device in the queues for turns. One statement renews all of them. One read tells all waiters
// whether they have the turn. So waiting commits nothing but the renewals, however many wait.
import type { Logger } from "pino";
import type { Incarnation } from "../../domain.ts";
import type { Database } from "../../store/database/database.ts";
import { readTurns, renewTickets } from "../../store/write/turns.ts";
import { WAITS } from "../../waits.ts";
import { tellFailure } from "../lease/tell-outage.ts";

/**
 * The pause before the next read. It is short after a new waiter came or a turn moved, and doubles while no turn moves.
 * `wake` does not wait for it.
 */
const LOOK_MS = 25;
const LOOK_LIMIT_MS = 1_000;

export interface Ticket {
  readonly repositoryId: string;
  readonly writeId: string;
}

/** The parts of the context that the queue needs. */
interface QueueContext {
  readonly db: Database;
  readonly me: Incarnation;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

interface Waiter {
  readonly ticket: Ticket;
  readonly resolve: (first: boolean | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Renews the tickets of this device, and wakes the writes whose turn has come. */
export class TurnQueue {
  /** How many calls of `keep` each ticket has. */
  readonly #kept = new Map<string, number>();
  #renewal: NodeJS.Timeout | undefined;
  #waiters: Waiter[] = [];
  #look: NodeJS.Timeout | undefined;
  #looking = false;
  /** A turn may have moved since the read under way began. */
  #woken = false;
  #delayMs = LOOK_MS;
  #seen = "";

  /** Renews a ticket until `release` has been called as often as `keep`. */
  keep(context: QueueContext, { writeId }: Ticket): void {
    this.#kept.set(writeId, (this.#kept.get(writeId) ?? 0) + 1);
    this.#renewal ??= setInterval(() => void this.#renew(context), WAITS.turnRenewalMs).unref();
  }

  release({ writeId }: Ticket): void {
    const left = (this.#kept.get(writeId) ?? 1) - 1;
    if (left > 0) this.#kept.set(writeId, left);
    else this.#kept.delete(writeId);
    if (this.#kept.size === 0) this.#stopRenewing();
  }

  #stopRenewing(): void {
    clearInterval(this.#renewal);
    this.#renewal = undefined;
  }

  async #renew(context: QueueContext): Promise<void> {
    if (context.signal.aborted) return this.#stopRenewing();
    await renewTickets(context.db, context.me, [...this.#kept.keys()]).catch((error: unknown) => {
      if (!context.signal.aborted) tellFailure(context, error, "could not renew the tickets of writes");
    });
  }

  /**
   * Returns, after the next read, whether a ticket has the turn. undefined: the ticket has run out. `isNew`: makes that
   * read soon. Rejects with the error of the read.
   */
  async look(context: QueueContext, ticket: Ticket, { isNew }: { isNew: boolean }): Promise<boolean | undefined> {
    return await new Promise((resolve, reject) => {
      this.#waiters.push({ ticket, resolve, reject });
      if (isNew) this.#delayMs = LOOK_MS;
      if (isNew || this.#look === undefined) this.#schedule(context);
    });
  }

  /** Reads soon, because the turns of these repositories may have moved. */
  wake(context: QueueContext, repositoryIds: readonly string[]): void {
    if (!this.#looking && !this.#waiters.some(({ ticket }) => repositoryIds.includes(ticket.repositoryId))) return;
    this.#woken = true;
    this.#schedule(context);
  }

  #schedule(context: QueueContext): void {
    if (this.#looking || this.#waiters.length === 0) return;
    clearTimeout(this.#look);
    const delayMs = this.#woken ? 0 : this.#delayMs * (0.75 + 0.5 * Math.random());
    this.#look = setTimeout(() => void this.#lookNow(context), delayMs).unref();
  }

  async #lookNow(context: QueueContext): Promise<void> {
    const batch = this.#waiters;
    this.#waiters = [];
    this.#look = undefined;
    this.#looking = true;
    this.#woken = false;
    try {
      context.signal.throwIfAborted();
      const holders = await readTurns(context.db, [...new Set(batch.map(({ ticket }) => ticket.writeId))]);
      const seen = [...new Set(holders.values())].sort().join();
      this.#delayMs = seen === this.#seen ? Math.min(2 * this.#delayMs, LOOK_LIMIT_MS) : LOOK_MS;
      this.#seen = seen;
      for (const { ticket, resolve } of batch) {
        const holder = holders.get(ticket.writeId);
        resolve(holder === undefined ? undefined : holder === ticket.writeId);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.#looking = false;
      this.#schedule(context);
    }
  }
}
