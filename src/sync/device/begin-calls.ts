// Calls of BeginWrite for one and the same write. A caller whose answer was lost repeats its call, perhaps while the sidecar is still at
// work for the first one: that one must not take away what the other is about to be given.

interface Calls {
  running: number;
  answered: boolean;
  /** One of them began the session. */
  begun: boolean;
  /** The session had begun before the first of them. */
  hadBegun: boolean;
  /** The last of them has failed, and what they had is being given back. */
  ending?: Promise<void>;
}

/** What a call knows of those that it belongs to. */
export type BeginCall = Pick<Calls, "begun" | "hadBegun">;

export class BeginCalls {
  readonly #calls = new Map<string, Calls>();

  /**
   * Runs one call. `fail` is called when the last of those with this key has failed and none has been answered; a call that comes before
   * it is done waits for that.
   */
  async run<T>(
    key: string,
    work: (call: BeginCall) => Promise<T>,
    fail: (error: unknown, call: BeginCall) => Promise<void>,
  ): Promise<T> {
    for (;;) {
      const ending = this.#calls.get(key)?.ending;
      if (ending === undefined) break;
      await ending;
    }
    const calls = this.#calls.get(key) ?? { running: 0, answered: false, begun: false, hadBegun: false };
    this.#calls.set(key, calls);
    calls.running += 1;
    try {
      const result = await work(calls);
      calls.answered = true;
      this.#leave(key, calls);
      return result;
    } catch (error) {
      this.#leave(key, calls, () => fail(error, calls));
      throw error;
    }
  }

  #leave(key: string, calls: Calls, fail?: () => Promise<void>): void {
    calls.running -= 1;
    if (calls.running > 0) return;
    if (fail === undefined || calls.answered) this.#calls.delete(key);
    else calls.ending = fail().finally(() => this.#calls.delete(key));
  }
}
