// Asks for something that costs time, such as a count of all replicas, on behalf of callers that must not wait.

export interface KeptAnswerOptions<Answer> {
  readonly ask: () => Promise<Answer>;
  /** An answer is good for this long, or for `timesKept` times what it took, if that is longer. */
  readonly keepMs: number;
  readonly timesKept?: number;
  /** A caller waits this long. Then it gets the last answer, unless that is older than `oldestMs`. */
  readonly patienceMs: number;
  readonly oldestMs?: number;
}

/** After a failure the question is not asked again for this long at most. */
const REST_MS = 60_000;

/** Asks once at a time, and keeps the answer for a while. Nobody waits longer than the patience. */
export class KeptAnswer<Answer> {
  readonly #options: KeptAnswerOptions<Answer>;
  #asking: Promise<void> | undefined;
  /** The last answer. `answer` undefined: the question failed. */
  #last: { readonly answer: Answer | undefined; readonly at: number; readonly keepMs: number } | undefined;

  constructor(options: KeptAnswerOptions<Answer>) {
    this.#options = options;
  }

  /** Returns an answer. undefined: the last question failed, or there is no answer yet. Never rejects. */
  async get(): Promise<Answer | undefined> {
    if (this.#last && performance.now() - this.#last.at < this.#last.keepMs) return this.#last.answer;
    this.#asking ??= this.#ask();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((done) => {
      timer = setTimeout(done, this.#options.patienceMs);
    });
    await Promise.race([this.#asking, late]);
    clearTimeout(timer);
    const oldest = performance.now() - (this.#options.oldestMs ?? 0);
    return this.#asking === undefined || (this.#last && this.#last.at > oldest) ? this.#last?.answer : undefined;
  }

  async #ask(): Promise<void> {
    const began = performance.now();
    const { ask, keepMs, timesKept = 0 } = this.#options;
    // Values from before a failure would look like values of now.
    const answer = await Promise.resolve()
      .then(ask)
      .catch(() => undefined);
    const at = performance.now();
    const restMs = timesKept * (at - began);
    this.#last = { answer, at, keepMs: Math.max(keepMs, answer === undefined ? Math.min(restMs, REST_MS) : restMs) };
    this.#asking = undefined;
  }
}
