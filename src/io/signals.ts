// Makes a signal for one piece of work from signals that live longer. `AbortSignal.any` is no use for that. Each parent
// keeps a trace of each signal made from it: 57 bytes for ever, if the parent lives as long as the process.
import { setMaxListeners } from "node:events";

/** A signal for one piece of work. */
export interface LinkedSignal extends Disposable {
  /** Aborts with the first of its parents and that parent's reason, or when the time is up. */
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}

/**
 * Links a new signal to its parents. Dispose of it when the work has ended: that detaches it from its parents and stops
 * its timer. `timeoutMs` counts from now.
 */
export function linkSignals(parents: readonly AbortSignal[], timeoutMs?: number): LinkedSignal {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  let timer: NodeJS.Timeout | undefined;
  const detach = () => {
    clearTimeout(timer);
    for (const parent of parents) parent.removeEventListener("abort", follow);
  };
  const abort = (reason?: unknown) => {
    detach();
    controller.abort(reason);
  };
  function follow(this: AbortSignal): void {
    abort(this.reason);
  }
  for (const parent of parents) parent.addEventListener("abort", follow);
  const over = parents.find(({ aborted }) => aborted);
  if (over) abort(over.reason);
  else if (timeoutMs !== undefined) {
    timer = setTimeout(() => abort(new DOMException("The time is up.", "TimeoutError")), timeoutMs);
    timer.unref();
  }
  return { signal: controller.signal, abort, [Symbol.dispose]: detach };
}
