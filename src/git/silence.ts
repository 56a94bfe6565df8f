// Proof that a git at work, here or on another device, makes progress: bytes, or a line that differs from its last one.
// A live process proves nothing: it may wait for a disk for ever.

/** A git that shows no work for this long is given up. Some steps of git are long and silent. */
export const SILENT_MS = 30_000;
/** The same limit for a git that has begun to send. */
export const STALL_MS = 10_000;

/** Aborts its signal when `broken` is not called for `limitMs`. */
export class Silence implements Disposable {
  limitMs: number;
  /** Returns true while this process has not taken what came last: then the sender does not cause the silence. */
  isOurs = () => false;
  readonly #over = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(limitMs = SILENT_MS) {
    this.limitMs = limitMs;
    this.#start();
  }

  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Records a sign of work: the next one must come within `limitMs`. */
  broken(limitMs = this.limitMs): void {
    if (this.#timer === undefined) return;
    if (limitMs === this.limitMs) this.#timer.refresh();
    else {
      clearTimeout(this.#timer);
      this.limitMs = limitMs;
      this.#start();
    }
  }

  #start(): void {
    this.#timer = setTimeout(() => (this.isOurs() ? this.#timer?.refresh() : this.#over.abort()), this.limitMs);
  }

  /** Ends the watch: later silence has no limit. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
