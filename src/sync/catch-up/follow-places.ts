// How many repositories a device follows at once. Those that take long do not keep the others waiting: most have nothing to do but wait
// for a source.

/** That have begun within the last QUICK_MS: a crowd of small repositories must not load every processor. */
const QUICK = 4;
const QUICK_MS = 3_000;
/** In all. */
const LIMIT = 16;
/** Of those whose last attempt failed: a device that fails for hundreds of repositories leaves room for the rest. */
const FAILING_LIMIT = 8;

interface Place {
  readonly failing: boolean;
  readonly since: number;
}

export class FollowPlaces {
  readonly #taken = new Set<Place>();

  /** A place until it is disposed of, or undefined; `onRoom` is called when this one counts as a quick one no more. */
  take(failing: boolean, onRoom: () => void): Disposable | undefined {
    const now = performance.now();
    const taken = [...this.#taken];
    const quick = taken.filter((place) => !place.failing && now - place.since < QUICK_MS);
    if (taken.length >= LIMIT) return undefined;
    if (failing ? taken.filter((place) => place.failing).length >= FAILING_LIMIT : quick.length >= QUICK)
      return undefined;
    const place = { failing, since: now };
    this.#taken.add(place);
    const timer = setTimeout(onRoom, QUICK_MS + 1);
    timer.unref();
    return {
      [Symbol.dispose]: () => {
        clearTimeout(timer);
        this.#taken.delete(place);
      },
    };
  }
}
