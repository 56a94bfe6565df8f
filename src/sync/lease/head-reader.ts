// Makes one query for many reads. Calls of one turn of the event loop share a query, which goes out after the turn. A
// call that arrives while a query is in flight shares the NEXT one, never the current one. The current one may have
// read the head before the call arrived. The call would then miss a push that was acknowledged in between.
import { setImmediate as nextTurn } from "node:timers/promises";
import { LockstepError } from "../../errors.ts";
import type { Head, Heads } from "../../store/repository/read-heads.ts";

interface Waiter {
  readonly name: string;
  readonly resolve: (heads: Heads) => void;
  readonly reject: (error: unknown) => void;
}

/** If so many calls wait, the database does not answer, and further calls are refused. */
export const QUEUE_LIMIT = 10_000;

/** Answers reads with the head of their repository, with one query for many of them. */
export class HeadReader {
  readonly #read: (names: string[]) => Promise<Heads>;
  #next: Waiter[] = [];
  #inFlight = false;
  /** Database round trips made so far. */
  queries = 0;

  constructor(read: (names: string[]) => Promise<Heads>) {
    this.#read = read;
  }

  /** How many calls wait for the next query. */
  get waiting(): number {
    return this.#next.length;
  }

  /**
   * Returns the head of a repository as of a moment after this call, and this device's current fence. head undefined:
   * there is no such repository. noWrites: why this device takes no writes.
   */
  async ask(name: string): Promise<{ fence: bigint; head: Head | undefined; noWrites: Heads["noWrites"] }> {
    if (this.#next.length >= QUEUE_LIMIT) {
      throw new LockstepError("QUEUE_FULL", "Too many reads wait for the database; try again.");
    }
    const heads = await new Promise<Heads>((resolve, reject) => {
      this.#next.push({ name, resolve, reject });
      if (!this.#inFlight) void this.#run();
    });
    return { fence: heads.fence, head: heads.byName.get(name), noWrites: heads.noWrites };
  }

  async #run(): Promise<void> {
    this.#inFlight = true;
    while (this.#next.length > 0) {
      await nextTurn();
      const batch = this.#next;
      this.#next = [];
      this.queries += 1;
      try {
        const heads = await this.#read([...new Set(batch.map((waiter) => waiter.name))]);
        for (const waiter of batch) waiter.resolve(heads);
      } catch (error) {
        for (const waiter of batch) waiter.reject(error);
      }
    }
    this.#inFlight = false;
  }
}
