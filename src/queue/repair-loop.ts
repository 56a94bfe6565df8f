// Finds replicas of this device that are missing, broken or behind, and enqueues commands for them. It looks at the
// state, not at events: a lost notification costs a few seconds.
import { setTimeout as sleep } from "node:timers/promises";
import { enqueueRepairs, FIRST_REPOSITORY } from "../store/command/repairs.ts";
import type { SyncContext } from "../sync/device/context.ts";
import { tellFailure } from "../sync/lease/tell-outage.ts";
import { WAITS } from "../waits.ts";

/** So many commands of this device may be open. The rest waits until those have ended. */
const ROOM = 400;
/** How many replicas one pass compares with their heads. */
const PAGE = 500;
/**
 * A pass looks at the pushes that came before the last pass and after the third last one. The newest pushes are left to
 * the notifications. Each push is looked at twice, because a position may become visible late.
 */
const PASSES = 4;

/** Enqueues commands for replicas of this device that are missing, broken or behind. */
export class RepairLoop {
  readonly #context: SyncContext;
  /** Called when there are new commands. */
  readonly #onFound: () => void;
  /** The newest position of the log at the last passes, oldest first. */
  #newest: bigint[] = [];
  #pageAfter = FIRST_REPOSITORY;
  /** True when notifications may have been missed. */
  #everything = true;
  /** Ends the pause. */
  #end: () => void = () => {};

  constructor(context: SyncContext, onFound: () => void) {
    this.#context = context;
    this.#onFound = onFound;
  }

  /** Begins the next pass at once. */
  readonly wake = (): void => this.#end();

  /** Called after the connection to the database was lost: the next pass looks at all replicas, and begins at once. */
  onReconnect(): void {
    this.#everything = true;
    this.wake();
  }

  /** Runs until the context's signal aborts. */
  async run(): Promise<void> {
    const { signal } = this.#context;
    while (!signal.aborted) {
      const pause = (await this.pass()) ? WAITS.repairBusyMs : WAITS.repairMs;
      const enough = new AbortController();
      this.#end = () => enough.abort();
      signal.addEventListener("abort", this.#end, { once: true });
      // The pause varies, so that the devices of a cluster do not ask together.
      await sleep(pause * (0.8 + 0.4 * Math.random()), undefined, { signal: enough.signal }).catch(() => {});
      signal.removeEventListener("abort", this.#end);
    }
  }

  /** Looks once. Returns true when more may be found at once. Never rejects. */
  async pass(): Promise<boolean> {
    const { db, me, signal } = this.#context;
    const everything = this.#everything;
    this.#everything = false;
    try {
      const [after = 0n] = this.#newest;
      const upto = this.#newest.at(-2) ?? after;
      const page = { after: this.#pageAfter, size: PAGE };
      const found = await enqueueRepairs(db, me, { everything, positions: [after, upto], page, room: ROOM });
      if (found.roomLeft) {
        this.#newest = [...this.#newest, found.newest ?? 0n].slice(-PASSES);
        if (!everything) this.#pageAfter = found.pageLast ?? FIRST_REPOSITORY;
      } else this.#everything ||= everything;
      if (found.enqueued > 0) this.#onFound();
      return !found.roomLeft;
    } catch (error) {
      this.#everything ||= everything;
      if (!signal.aborted) tellFailure(this.#context, error, "could not look for replicas that need work");
      return false;
    }
  }
}
