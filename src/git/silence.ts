// What proves that a git at work, here or at another device, does work: bytes, and words that it has not just said. That its process
// is there proves nothing: it may wait for a disk for ever.

/** A git that shows no work for so long is given up. Long, as some of its steps are done without a word. */
export const SILENT_MS = 30_000;
/** One that has begun to send, and then sends nothing for so long. */
export const STALL_MS = 10_000;

/** Aborts its signal when nothing has broken it for too long. */
export class Silence implements Disposable {
  limitMs: number;
  /** Whether what came last still waits to be taken: then it is not the sender that holds everything up. */
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

  /** Something came; from now on something must come within `limitMs`. */
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

  /** What follows may take as long as it likes. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
