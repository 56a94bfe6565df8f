// Limits how many things are under way at once. Nobody can take all places, because each caller has a few of its own.

export interface PlaceLimits {
  /** Places for all callers together, beyond the own places of each. */
  readonly all: number;
  /** How many places a caller always gets. */
  readonly own: number;
}

/** The places that are taken. */
export interface Taken {
  readonly all: number;
  /** Those of the caller who asks for one more. */
  readonly own: number;
}

/** Gives out places. */
export class FairPlaces {
  readonly #limits: PlaceLimits;
  readonly #fullError: (taken: Taken, caller: string) => Error;
  readonly #taken = new Map<string, number>();

  /** `fullError` makes the error for a caller that gets no place. */
  constructor(limits: PlaceLimits, fullError: (taken: Taken, caller: string) => Error) {
    this.#limits = limits;
    this.#fullError = fullError;
  }

  /** How many places all callers have. */
  get taken(): number {
    return [...this.#taken.values()].reduce((sum, each) => sum + each, 0);
  }

  /** Takes a place for the caller until the result is disposed of. Throws the error of a full house. */
  take(caller: string): Disposable {
    const own = this.#taken.get(caller) ?? 0;
    const all = this.taken;
    if (own >= this.#limits.own && all >= this.#limits.all) throw this.#fullError({ all, own }, caller);
    this.#taken.set(caller, own + 1);
    let isTaken = true;
    return {
      [Symbol.dispose]: () => {
        if (!isTaken) return;
        isTaken = false;
        const left = (this.#taken.get(caller) ?? 1) - 1;
        if (left > 0) this.#taken.set(caller, left);
        else this.#taken.delete(caller);
      },
    };
  }
}
