// Limits how many packs a device makes at once, over the pack stream and stock git together. No device can take all
// places, because each device that asks has a few of its own.
import { LockstepError } from "../../errors.ts";

export interface PackLimits {
  /** Places for all devices together, beyond the own places of each. */
  readonly all: number;
  /** How many places a device always gets. */
  readonly own: number;
}

/** Gives out the places for packs. */
export class PackPlaces {
  readonly #me: string;
  readonly #limits: PackLimits;
  readonly #taken = new Map<string, number>();

  constructor(me: string, limits: PackLimits) {
    this.#me = me;
    this.#limits = limits;
  }

  /** How many places all devices have. */
  get taken(): number {
    return [...this.#taken.values()].reduce((sum, each) => sum + each, 0);
  }

  /** Takes a place for a pack to the device `asker`, until the result is disposed. Throws QUEUE_FULL. */
  take(asker: string): Disposable {
    const own = this.#taken.get(asker) ?? 0;
    const all = this.taken;
    if (own >= this.#limits.own && all >= this.#limits.all) throw busyError(this.#me, `sends ${all} packs already`);
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

/** Makes the error QUEUE_FULL. `ask`: the devices that may be asked instead. */
export function busyError(device: string, why: string, ask: readonly string[] = []): LockstepError {
  return new LockstepError("QUEUE_FULL", `Device ${device} ${why}; ask another.`, {
    details: { device, ask: ask.join(" ") },
  });
}
