// Coordinates the calls of BeginWrite for one write. A caller whose answer was lost repeats its call, perhaps while the
// sidecar still works for the first call. If the first call fails, it must not take away what the second one is about
// to get.

interface Calls {
  running: number;
  answered: boolean;
  /** One of the calls began the session. */
  begun: boolean;
  /** The session had begun before the first of these calls. */
  hadBegun: boolean;
  /** The last of the calls has failed, and its ticket and session are being given up. */
  ending?: Promise<void>;
}

/** The state of all calls for the same write, for one of them. */
export type BeginCall = Pick<Calls, "begun" | "hadBegun">;

/** Knows, for each write, which calls of BeginWrite are under way. */
export class BeginCalls {
  readonly #calls = new Map<string, Calls>();

  /**
   * Runs one call. `fail` runs when the last of the calls with this key has failed and none was answered. A call that
   * comes meanwhile waits until `fail` is done.
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
