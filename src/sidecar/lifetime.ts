// The end of a process, in two steps: first it takes no more work, then it cuts off what still runs.
import { setMaxListeners } from "node:events";
import { LockstepError } from "../errors.ts";

/** Holds the two signals of a sidecar: it takes no more work, and it cuts off what still runs. */
export class Lifetime {
  readonly #device: string;
  readonly #stopping = new AbortController();
  readonly #over = new AbortController();
  #fenced = false;

  /** `stop` aborts when the host wants the process to end. */
  constructor(device: string, stop: AbortSignal) {
    this.#device = device;
    // Everything that runs listens to them.
    setMaxListeners(0, this.#stopping.signal, this.#over.signal);
    stop.addEventListener("abort", () => this.#stopping.abort(), { once: true });
    if (stop.aborted) this.#stopping.abort();
  }

  /** Aborts when the process is to take no more work. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Aborts when everything that runs is cut off. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Another sidecar has taken over the device. */
  get fenced(): boolean {
    return this.#fenced;
  }

  /** Ends the process, since another sidecar has taken over the device. */
  readonly onFenced = (): void => {
    this.#fenced = true;
    this.#over.abort(
      new LockstepError("FENCED", `Another sidecar has taken over device ${this.#device}; this one ends.`),
    );
    this.#stopping.abort();
  };

  /** Cuts off what still runs. */
  end(): void {
    this.#over.abort(
      new LockstepError("SHUTTING_DOWN", `The sidecar of device ${this.#device} is stopping; ask another device.`),
    );
  }

  /** Returns when the process is to take no more work. */
  async untilStopping(): Promise<void> {
    const { signal } = this.#stopping;
    if (signal.aborted) return;
    await new Promise<void>((done) => signal.addEventListener("abort", () => done(), { once: true }));
  }
}
