// Limits how many requests a gate serves at once, so that many clients cost no more memory and processes than the
// machine has. Further requests wait in line for a while, without a git.
import { networkOf } from "../io/client-address.ts";
import { Refusal } from "../smart-http/refusal.ts";

export interface PlaceLimits {
  /** Requests at once. */
  readonly requests: number;
  /** Requests at once of one address. An IPv6 network of 64 bits counts as one. */
  readonly perAddress: number;
  /** Requests that may wait. */
  readonly waiting: number;
  /** For how long a request waits, in milliseconds. */
  readonly patienceMs: number;
}

/** The address whose requests are counted. undefined: only the limit of all requests holds. */
export type Limited = string | undefined;

interface Waiting {
  readonly address: Limited;
  readonly start: () => void;
}

/** The places of a gate. */
export class Places {
  readonly #limits: PlaceLimits;
  readonly most: number;
  readonly mostWaiting: number;
  readonly #taken = new Map<string, number>();
  #count = 0;
  /** In the order of arrival. */
  readonly #line = new Set<Waiting>();

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
    this.most = limits.requests;
    this.mostWaiting = limits.waiting;
  }

  get taken(): number {
    return this.#count;
  }

  get waiting(): number {
    return this.#line.size;
  }

  /**
   * Resolves when the request has a place, which it keeps until it disposes of it. Throws Refusal (503) when the line
   * is full or the wait too long, and the signal's reason when it aborts.
   */
  async take(from: Limited, signal: AbortSignal): Promise<Disposable> {
    const address = countedAs(from);
    if (this.#room(address) > 0) return this.#occupy(address);
    if (this.#line.size >= this.#limits.waiting) throw busyRefusal();
    return await new Promise<Disposable>((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", leave);
        this.#line.delete(waiting);
      };
      const leave = () => {
        settle();
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        settle();
        reject(busyRefusal());
      }, this.#limits.patienceMs);
      const waiting: Waiting = {
        address,
        start: () => {
          settle();
          resolve(this.#occupy(address));
        },
      };
      signal.addEventListener("abort", leave);
      if (signal.aborted) leave();
      else this.#line.add(waiting);
    });
  }

  /** Takes a place at once. Throws Refusal (503) when there is none. */
  takeFree(from: Limited): Disposable {
    const address = countedAs(from);
    if (this.#room(address) > 0) return this.#occupy(address);
    throw busyRefusal();
  }

  /** Returns how many more places requests of this address may take now. */
  roomFor(from: Limited): number {
    return this.#room(countedAs(from));
  }

  #room(address: Limited): number {
    const left = this.#limits.requests - this.#count;
    return address === undefined ? left : Math.min(left, this.#limits.perAddress - this.#takenBy(address));
  }

  #occupy(address: Limited): Disposable {
    this.#count += 1;
    this.#note(address, 1);
    let kept = true;
    return {
      [Symbol.dispose]: () => {
        if (!kept) return;
        kept = false;
        this.#leave(address);
      },
    };
  }

  #leave(address: Limited): void {
    this.#count -= 1;
    this.#note(address, -1);
    // One address at its limit holds back nobody else.
    const next = [...this.#line].find((waiting) => this.#room(waiting.address) > 0);
    next?.start();
  }

  #takenBy(address: string): number {
    return this.#taken.get(address) ?? 0;
  }

  #note(address: Limited, change: 1 | -1): void {
    if (address === undefined) return;
    const taken = this.#takenBy(address) + change;
    if (taken === 0) this.#taken.delete(address);
    else this.#taken.set(address, taken);
  }
}

/** Returns the network of an address. */
function countedAs(address: Limited): Limited {
  return address === undefined ? undefined : networkOf(address);
}

function busyRefusal(): Refusal {
  const headers = { "Retry-After": "5" };
  return new Refusal(503, "This server serves as many requests as it can; try again.", { headers });
}
