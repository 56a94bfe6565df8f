// How many packs a device makes at once, for the pack stream and for stock git together. No device can take all places: each has a few
// of its own.
import { LockstepError } from "../../errors.ts";

/** In all, beyond those that devices have of their own. */
const LIMIT = 8;
/** A device gets so many whatever others have taken. */
const OWN = 2;

export class PackPlaces {
  readonly #me: string;
  readonly #taken = new Map<string, number>();

  constructor(me: string) {
    this.#me = me;
  }

  /** A place for a pack to the device `asker`, until it is disposed of. Throws QUEUE_FULL. */
  take(asker: string): Disposable {
    const own = this.#taken.get(asker) ?? 0;
    const all = [...this.#taken.values()].reduce((sum, each) => sum + each, 0);
    if (own >= OWN && all >= LIMIT) throw busyError(this.#me, `sends ${all} packs already`);
    this.#taken.set(asker, own + 1);
    let isTaken = true;
    return {
      [Symbol.dispose]: () => {
        if (!isTaken) return;
        isTaken = false;
        const left = (this.#taken.get(asker) ?? 1) - 1;
        if (left > 0) this.#taken.set(asker, left);
        else this.#taken.delete(asker);
      },
    };
  }
}

/** QUEUE_FULL, with the devices `ask` that may be asked instead. */
export function busyError(device: string, why: string, ask: readonly string[] = []): LockstepError {
  return new LockstepError("QUEUE_FULL", `Device ${device} ${why}; ask another.`, {
    details: { device, ask: ask.join(" ") },
  });
}
