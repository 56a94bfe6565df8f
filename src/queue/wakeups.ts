// Wakes the loops that wait for new commands.

/** Lets loops wait, and wakes all of them at once. */
export class Wakeups {
  readonly #waiting = new Set<() => void>();

  /** Ends the waits that have begun before this call. */
  readonly wake = (): void => {
    for (const end of [...this.#waiting]) end();
  };

  /** Resolves at the next `wake`, after `timeoutMs`, or when `signal` aborts. */
  next(timeoutMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        this.#waiting.delete(end);
        resolve();
      };
      const timer = setTimeout(end, timeoutMs);
      timer.unref();
      this.#waiting.add(end);
      signal.addEventListener("abort", end, { once: true });
      if (signal.aborted) end();
    });
  }
}
