// Measures the steps of one piece of work, for its log line.

/** Work that loses one race after another has many laps. */
const STEPS_LIMIT = 100;

/** Runs from its construction. Times are milliseconds. */
export class Stopwatch {
  readonly #startedAt = performance.now();
  #last = this.#startedAt;
  /** Milliseconds by step. A step that was done more than once is summed. */
  readonly laps: Record<string, number> = {};
  /** Each lap by itself, for a trace: the name of its step, and from when to when as `performance.now()`. */
  readonly steps: { readonly name: string; readonly from: number; readonly to: number }[] = [];

  /** Adds the time since the last lap, or since the start, to the step `name`. */
  lap(name: `${string}Ms`): void {
    const now = performance.now();
    if (this.steps.length < STEPS_LIMIT) this.steps.push({ name: name.slice(0, -2), from: this.#last, to: now });
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
