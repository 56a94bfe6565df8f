// Counts equal things, and hands them over a few times a minute. An attacker may be refused a thousand times a second.
// Nobody waits for the counting.
import { setTimeout as sleep } from "node:timers/promises";

/** Equal things are handed over once in this time. */
const EACH_MS = 20_000;
/** After the first one, so that several that come together are handed over together. */
const SOON_MS = 200;

export interface Counted<Thing> {
  /** The last one of its kind. */
  readonly thing: Thing;
  readonly count: number;
}

export interface TallyOptions<Thing> {
  /** Returns a text that is the same for equal things. */
  readonly kindOf: (thing: Thing) => string;
  /** So many kinds are counted apart in that time. */
  readonly kinds: number;
  /** Returns what stands for all further kinds. */
  readonly rest: (thing: Thing) => Thing;
  /** Called with one entry for each kind. If it rejects, they are counted on, and handed over later. */
  readonly handOver: (counted: readonly Counted<Thing>[]) => Promise<void>;
  readonly onFailure: (error: unknown) => void;
  /** For how long disposal hands over what is left. */
  readonly goodbyeMs: number;
}

interface Kind<Thing> {
  thing: Thing;
  count: number;
  handedAt: number;
}

export class Tally<Thing> implements AsyncDisposable {
  readonly #options: TallyOptions<Thing>;
  readonly #kinds = new Map<string, Kind<Thing>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TallyOptions<Thing>) {
    this.#options = options;
  }

  /** Counts a thing so many times. It is handed over soon. */
  note(thing: Thing, times = 1): void {
    const { kindOf, kinds, rest } = this.#options;
    const key = kindOf(thing);
    const apart = this.#kinds.has(key) || this.#kinds.size < kinds;
    const place = apart ? key : "";
    const noted = apart ? thing : rest(thing);
    const kind = this.#kinds.get(place) ?? { thing: noted, count: 0, handedAt: Number.NEGATIVE_INFINITY };
    kind.count += times;
    kind.thing = noted;
    this.#kinds.set(place, kind);
    this.#timer ??= setTimeout(() => void this.#handOver(EACH_MS), SOON_MS).unref();
  }

  /** Hands over what was counted. It may be lost if that takes too long. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.race([this.#handOver(0), sleep(this.#options.goodbyeMs, undefined, { ref: false })]);
  }

  async #handOver(eachMs: number): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const now = performance.now();
    for (const [key, kind] of this.#kinds) {
      if (kind.count === 0 && now - kind.handedAt >= EACH_MS) this.#kinds.delete(key);
    }
    const due = [...this.#kinds.values()].filter(({ count, handedAt }) => count > 0 && now - handedAt >= eachMs);
    const counted = due.map((kind) => ({ kind, thing: kind.thing, count: kind.count }));
    for (const kind of due) [kind.count, kind.handedAt] = [0, now];
    try {
      if (counted.length > 0) await this.#options.handOver(counted.map(({ thing, count }) => ({ thing, count })));
    } catch (error) {
      for (const { kind, count } of counted) kind.count += count;
      this.#options.onFailure(error);
    }
    const waits = [...this.#kinds.values()].some(({ count }) => count > 0);
    if (waits && eachMs > 0) this.#timer ??= setTimeout(() => void this.#handOver(EACH_MS), EACH_MS).unref();
  }
}
