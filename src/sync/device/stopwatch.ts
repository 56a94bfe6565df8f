// Where the time of one piece of work went, for its log line.

export class Stopwatch {
  readonly #startedAt = performance.now();
  #last = this.#startedAt;
  /** Milliseconds by what they went into; what was done more than once is summed. */
  readonly laps: Record<string, number> = {};

  /** The time since the last lap, or the start, went into this. */
  lap(name: `${string}Ms`): void {
    const now = performance.now();
    this.laps[name] = rounded((this.laps[name] ?? 0) + now - this.#last);
    this.#last = now;
  }

  /** Milliseconds since the start. */
  get durationMs(): number {
    return rounded(performance.now() - this.#startedAt);
  }
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100;
}
