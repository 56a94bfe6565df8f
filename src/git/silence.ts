import { WAITS } from "../waits.ts";
// Proof that a git at work, here or on another device, makes progress: bytes, or a line that differs from its last one.
// A live process proves nothing: it may wait for a disk for ever.

/** Aborts its signal when `broken` is not called for `limitMs`. */
export class Silence implements Disposable {
  limitMs: number;
  /** Returns true while this process has not taken what came last: then the sender does not cause the silence. */
  isOurs = () => false;
  readonly #over = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(limitMs = WAITS.gitSilentMs) {
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
