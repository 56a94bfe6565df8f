// Limits calls that never end by themselves. One caller may have all places, but each other caller still gets a few.
import { LockstepError } from "../../errors.ts";
import type { Caller } from "../call/caller.ts";

export interface WatchLimits {
  /** Places for all callers together, beyond the own places of each. */
  readonly all: number;
  /** How many places a caller always gets. */
  readonly own: number;
}

/** The calls of one RPC that are under way. */
export class WatchPlaces {
  readonly #what: string;
  readonly #limits: WatchLimits;
  readonly #taken = new Map<string, number>();

  /** `what`: the word for such calls in the error. */
  constructor(what: string, limits: WatchLimits) {
    this.#what = what;
    this.#limits = limits;
  }

  /** Takes a place until the result is disposed of. Throws QUEUE_FULL. */
  take({ role, name }: Caller): Disposable {
    const caller = `${role} ${name}`;
    const own = this.#taken.get(caller) ?? 0;
    const all = [...this.#taken.values()].reduce((sum, each) => sum + each, 0);
    if (own >= this.#limits.own && all >= this.#limits.all)
      throw new LockstepError(
        "QUEUE_FULL",
        `This device has ${all} ${this.#what} already, which is the limit, and ${own} of them are of ${caller}; ask another device.`,
      );
    this.#taken.set(caller, own + 1);
    return {
      [Symbol.dispose]: () => {
        const left = (this.#taken.get(caller) ?? 1) - 1;
        if (left > 0) this.#taken.set(caller, left);
        else this.#taken.delete(caller);
      },
    };
  }
}
