// A signal for one piece of work, made from signals that live longer. `AbortSignal.any` cannot be used for that: each signal that it was
// given keeps a trace of each signal that it made, 57 bytes for ever on one that lives as long as the process.
import { setMaxListeners } from "node:events";

export interface LinkedSignal extends Disposable {
  /** Aborts with the first of its parents, with that one's reason, or when the time is up. */
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}

/** Dispose of it when the work has ended: it then leaves its parents, and its timer ends. `timeoutMs`: from now on. */
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
