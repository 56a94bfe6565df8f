// Limits calls that never end by themselves. One caller may have all places, but each other caller still gets a few.
import { LockstepError } from "../../errors.ts";
import { FairPlaces, type PlaceLimits } from "../../fair-places.ts";
import type { Caller } from "./caller.ts";

/** The calls of one RPC that are under way. */
export class WatchPlaces {
  readonly #places: FairPlaces;

  /** `what`: the word for such calls in the error. */
  constructor(what: string, limits: PlaceLimits) {
    this.#places = new FairPlaces(
      limits,
      ({ all, own }, caller) =>
        new LockstepError(
          "QUEUE_FULL",
          `This device has ${all} ${what} already, which is the limit, and ${own} of them are of ${caller}; ask another device.`,
        ),
    );
  }

  /** Takes a place until the result is disposed of. Throws QUEUE_FULL. */
  take({ role, name }: Caller): Disposable {
    return this.#places.take(`${role} ${name}`);
  }
}
