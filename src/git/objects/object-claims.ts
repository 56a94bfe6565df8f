// Keeps gc from removing objects on which a write relies. A write first finds that its objects are here, and later
// makes refs that reach them. Between the two no ref keeps objects that were here before, from a push that was refused
// or a branch that is gone.
/** Holds the claims of the writes on the objects of one replica. */
export class ObjectClaims {
  #claims = 0;
  #taken = 0;
  #pruning: Promise<void> | undefined;
  #onIdle: (() => void)[] = [];

  /** How many claims there have been. While this stays the same, no ref can have come to reach an old object. */
  get taken(): number {
    return this.#taken;
  }

  get idle(): boolean {
    return this.#claims === 0;
  }

  /**
   * Keeps all objects that are here until the result is disposed. To be taken before the look whether objects are here.
   * Waits for the few milliseconds in which gc removes some.
   */
  async claim(): Promise<Disposable> {
    while (this.#pruning) await this.#pruning;
    return this.#take();
  }

  /** Resolves when there is no claim for a moment, or when the signal aborts. */
  async untilIdle(signal: AbortSignal): Promise<void> {
    while (!this.idle && !signal.aborted)
      await new Promise<void>((resolve) => {
        this.#onIdle.push(resolve);
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
  }

  /**
   * Runs `remove` while nobody has a claim. Returns false, without running it, if somebody has one or has had one since
   * `taken` was read.
   */
  async removeSince(taken: number, remove: () => Promise<void>): Promise<boolean> {
    if (!this.idle || this.#taken !== taken || this.#pruning) return false;
    const removed = remove();
    this.#pruning = removed.catch(() => {});
    try {
      await removed;
    } finally {
      this.#pruning = undefined;
    }
    return true;
  }

  #take(): Disposable {
    this.#claims += 1;
    this.#taken += 1;
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        this.#claims -= 1;
        if (this.#claims > 0) return;
        for (const wake of this.#onIdle.splice(0)) wake();
      },
    };
  }
}
