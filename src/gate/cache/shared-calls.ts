// Makes one call for requests that arrive together. A request must not share a call that began before it: the call may
// have missed a push that was acknowledged in between. So a call begins when all requests that have arrived by now were
// read. A slow call delays no later request: that one gets a call of its own.

interface Shared<Result> {
  readonly result: Promise<Result>;
  /** Aborts when no caller is left. */
  readonly left: AbortController;
  callers: number;
}

/** Shares calls between requests with the same key. */
export class SharedCalls<Result> {
  readonly #call: (key: string, signal: AbortSignal) => Promise<Result>;
  /** The calls that have not begun. */
  readonly #next = new Map<string, Shared<Result>>();

  /** The signal of a call aborts when all its callers are gone. */
  constructor(call: (key: string, signal: AbortSignal) => Promise<Result>) {
    this.#call = call;
  }

  /** Resolves with the result of a call that begins after this moment. Throws its error, and the signal's reason. */
  async call(key: string, signal?: AbortSignal): Promise<Result> {
    signal?.throwIfAborted();
    const shared = this.#next.get(key) ?? this.#schedule(key);
    shared.callers += 1;
    return await new Promise<Result>((resolve, reject) => {
      const leave = () => {
        shared.callers -= 1;
        if (shared.callers === 0) this.#giveUp(key, shared);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", leave, { once: true });
      shared.result.finally(() => signal?.removeEventListener("abort", leave)).then(resolve, reject);
    });
  }

  #schedule(key: string): Shared<Result> {
    const left = new AbortController();
    const result = new Promise<void>((begin) => setImmediate(begin)).then(async () => {
      left.signal.throwIfAborted();
      this.#next.delete(key);
      return await this.#call(key, left.signal);
    });
    const shared = { result, left, callers: 0 };
    this.#next.set(key, shared);
    return shared;
  }

  #giveUp(key: string, shared: Shared<Result>): void {
    if (this.#next.get(key) === shared) this.#next.delete(key);
    shared.left.abort();
  }
}
