// Limits how many requests for copies one device has here at once. Each fetches a pack from that device.
import { busyError } from "../sync/objects/busy.ts";

/** The requests for copies that are under way, by the device that asks. */
export class HoldPlaces {
  readonly #me: string;
  readonly #most: number;
  readonly #taken = new Map<string, number>();

  /** `most`: for each device. */
  constructor(me: string, most: number) {
    this.#me = me;
    this.#most = most;
  }

  /** The requests of the device that has the most. */
  get largest(): number {
    return Math.max(0, ...this.#taken.values());
  }

  /** Takes a place until the result is disposed of. Throws QUEUE_FULL. */
  take(asker: string): Disposable {
    const taken = this.#taken.get(asker) ?? 0;
    if (taken >= this.#most) throw busyError(this.#me, `makes ${this.#most} copies for ${asker} already`);
    this.#taken.set(asker, taken + 1);
    return {
      [Symbol.dispose]: () => {
        const left = (this.#taken.get(asker) ?? 1) - 1;
        if (left > 0) this.#taken.set(asker, left);
        else this.#taken.delete(asker);
      },
    };
  }
}
