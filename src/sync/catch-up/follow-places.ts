// Limits how many repositories a device follows at once. Slow repositories do not keep the others waiting: most of them
// only wait for a source.

/**
 * How many places may have begun within the last QUICK_MS: a crowd of small repositories must not load every processor.
 */
const QUICK = 4;
const QUICK_MS = 3_000;
/** How many places there are in all. */
const LIMIT = 16;
/**
 * How many places repositories may have whose last attempt failed. A device that fails for hundreds of repositories
 * leaves room for the rest.
 */
const FAILING_LIMIT = 8;

interface Place {
  readonly failing: boolean;
  readonly since: number;
}

/** Gives out the places for repositories that a device follows by itself. */
export class FollowPlaces {
  readonly #taken = new Set<Place>();

  /**
   * Takes a place until the result is disposed. undefined: there is none. `onRoom` is called when this place no longer
   * counts as a quick one.
   */
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
