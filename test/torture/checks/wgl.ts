// Searches for an order of steps, each within its time, in which a register behaves correctly. This is the algorithm of
// Wing and Gong, with Lowe's memory of configurations that failed. history-wgl.test.ts compares it with brute force.
import type { Value } from "../history.ts";

export type Effect =
  | { readonly kind: "read"; readonly value: Value }
  /** Sets the register. With `old`, only if the register holds `old`. */
  | { readonly kind: "write"; readonly value: Value; readonly old?: Value }
  /** Was refused because the register did not hold `expected`. */
  | { readonly kind: "mismatch"; readonly expected: Value };

export interface Step {
  readonly operation: number;
  readonly invoked: number;
  /** When the step returned. With Infinity, the step may take effect at any time after `invoked`, or never. */
  readonly returned: number;
  readonly effect: Effect;
}

/** Returns the state after the effect, or undefined if the effect cannot happen in this state. */
export function applied(effect: Effect, state: Value): Value | undefined {
  if (effect.kind === "read") return effect.value === state ? state : undefined;
  if (effect.kind === "mismatch") return effect.expected === state ? undefined : state;
  return effect.old === undefined || effect.old === state ? effect.value : undefined;
}

export type Answer =
  | { readonly outcome: "linearizable" }
  /** Where the search got furthest: `stuck` is the step for which no place was found, `state` the state before it. */
  | { readonly outcome: "not linearizable"; readonly stuck: Step; readonly state: Value }
  /** The search has used up its budget. */
  | { readonly outcome: "undecided" };

/** Searches from the state null. `budget` is the number of configurations to look at. */
export function linearize(steps: readonly Step[], budget = 1_000_000): Answer {
  const ordered = steps.toSorted((one, other) => one.invoked - other.invoked);
  return new Search(ordered, budget).run();
}

interface Frame {
  readonly state: Value;
  readonly candidates: readonly number[];
  next: number;
}

class Search {
  readonly #steps: readonly Step[];
  /** The closed steps by the time of their return. The first unplaced one bounds the next candidates. */
  readonly #byReturn: readonly number[];
  readonly #placed: Uint8Array;
  readonly #seen = new Set<string>();
  #budget: number;
  #furthest: { placed: number; stuck: Step; state: Value } | undefined;

  constructor(steps: readonly Step[], budget: number) {
    this.#steps = steps;
    this.#budget = budget;
    this.#placed = new Uint8Array(steps.length);
    const closed = steps.flatMap((step, index) => (step.returned === Number.POSITIVE_INFINITY ? [] : [index]));
    this.#byReturn = closed.toSorted((one, other) => steps[one]!.returned - steps[other]!.returned);
  }

  run(): Answer {
    const path: number[] = [];
    const frames: Frame[] = [];
    let state: Value = null;
    for (;;) {
      const pending = this.#byReturn.findIndex((index) => this.#placed[index] === 0);
      if (pending === -1) return { outcome: "linearizable" };
      if (this.#enter(state)) {
        frames.push({ state, candidates: this.#candidates(this.#byReturn[pending]!), next: 0 });
      } else this.#undo(path);
      if (this.#budget < 0) return { outcome: "undecided" };
      const moved = this.#advance(frames, path);
      if (moved === undefined) {
        const { stuck, state } = this.#furthest!;
        return { outcome: "not linearizable", stuck, state };
      }
      state = moved.state;
    }
  }

  /** Notes a configuration. Returns false if the search has seen it before. */
  #enter(state: Value): boolean {
    this.#budget -= 1;
    const key = `${state} ${this.#placedKey()}`;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }

  /** Returns a key of the placed steps: the length of the placed beginning, and the other placed steps one by one. */
  #placedKey(): string {
    const dense = this.#placed.indexOf(0);
    const beyond: number[] = [];
    for (let at = this.#placed.indexOf(1, dense); at !== -1; at = this.#placed.indexOf(1, at + 1)) beyond.push(at);
    return `${dense} ${beyond}`;
  }

  /** Returns the steps that were invoked before the return of every unplaced step. Closed steps come first. */
  #candidates(bound: number): number[] {
    const { returned } = this.#steps[bound]!;
    const closed: number[] = [];
    const open: number[] = [];
    for (let index = this.#placed.indexOf(0); index !== -1; index = this.#placed.indexOf(0, index + 1)) {
      const step = this.#steps[index]!;
      if (step.invoked > returned) break;
      (step.returned === Number.POSITIVE_INFINITY ? open : closed).push(index);
    }
    return [...closed, ...open];
  }

  /** Places the next candidate of the last frame that has one left. Returns undefined if no frame has one. */
  #advance(frames: Frame[], path: number[]): { state: Value } | undefined {
    for (let frame = frames.at(-1); frame; frame = frames.at(-1)) {
      while (frame.next < frame.candidates.length) {
        const index = frame.candidates[frame.next]!;
        frame.next += 1;
        const step = this.#steps[index]!;
        const state = applied(step.effect, frame.state);
        if (state === undefined) {
          this.#note(path.length, step, frame.state);
          continue;
        }
        this.#placed[index] = 1;
        path.push(index);
        return { state };
      }
      frames.pop();
      this.#undo(path);
    }
    return undefined;
  }

  #undo(path: number[]): void {
    const index = path.pop();
    if (index !== undefined) this.#placed[index] = 0;
  }

  #note(placed: number, stuck: Step, state: Value): void {
    if (stuck.returned === Number.POSITIVE_INFINITY) return;
    if (this.#furthest === undefined || placed >= this.#furthest.placed) this.#furthest = { placed, stuck, state };
  }
}
