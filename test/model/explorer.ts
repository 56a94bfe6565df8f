// Searches breadth first through every order of events, and visits each state once. From some states it also follows
// one path without further faults to the end.
import { Violation } from "./state.ts";

/** An event that may happen next. */
export interface Step<State> {
  /** "go" happens by itself, sooner or later. "new" is a new request. "fault" need not happen. */
  readonly kind: "go" | "new" | "fault";
  readonly label: string;
  /** Changes a copy of the state that offered the step. Throws a Violation if that breaks an invariant. */
  readonly act: (next: State) => void;
}

/** The world to explore. `check` and `checkSettled` throw a Violation. */
export interface World<State> {
  readonly start: () => State;
  readonly copy: (state: State) => State;
  readonly steps: (state: State) => Step<State>[];
  readonly check: (state: State) => void;
  /** Allows no further faults in the state. */
  readonly withoutFaults: (state: State) => void;
  /** Checks a state in which no step is left. */
  readonly checkSettled: (state: State) => void;
}

export interface Bounds {
  readonly states: number;
  /** The search tests whether everything settles from each n-th new state, where n is this number. */
  readonly settleEvery: number;
}

export interface Explored {
  readonly states: number;
  readonly steps: number;
  readonly settled: number;
  /** True if the search saw every reachable state. */
  readonly complete: boolean;
  readonly violation: { readonly message: string; readonly trace: readonly string[] } | null;
}

/** Searches for a violation. The same world and bounds always give the same answer. */
export function explore<State>(world: World<State>, { states: limit, settleEvery }: Bounds): Explored {
  const first = world.start();
  const known = new Set([hash(first)]);
  const parents: { parent: number; label: string }[] = [{ parent: -1, label: "" }];
  const queue: { state: State; index: number }[] = [{ state: first, index: 0 }];
  const random = mulberry32(1);
  let steps = 0;
  let settled = 0;
  const result = (complete: boolean, violation: Explored["violation"]): Explored => ({
    states: known.size,
    steps,
    settled,
    complete,
    violation,
  });
  for (let at = 0; at < queue.length; at += 1) {
    const { state, index } = queue[at]!;
    queue[at] = undefined!;
    for (const { label, act } of world.steps(state)) {
      const next = world.copy(state);
      steps += 1;
      const trail: string[] = [label];
      try {
        act(next);
        const key = hash(next);
        if (known.has(key)) continue;
        known.add(key);
        parents.push({ parent: index, label });
        queue.push({ state: next, index: parents.length - 1 });
        world.check(next);
        if (known.size % settleEvery === 0) {
          settled += 1;
          settle(world, next, random, trail);
        }
      } catch (error) {
        if (!(error instanceof Violation)) throw error;
        return result(false, { message: error.message, trace: [...traceTo(parents, index), ...trail] });
      }
      if (known.size >= limit) return result(false, null);
    }
  }
  return result(true, null);
}

/**
 * Makes random walks. After `steps` steps a walk continues without faults to the end. Walks get deeper than a search.
 */
export function walk<State>(world: World<State>, bounds: { readonly steps: number; readonly seed: number }): Explored {
  const random = mulberry32(bounds.seed);
  const known = new Set<number>();
  let steps = 0;
  let settled = 0;
  while (steps < bounds.steps) {
    let state = world.start();
    const trail: string[] = [];
    try {
      for (let left = LONGEST; left > 0; left -= 1) {
        const step = choose(world.steps(state), random);
        if (step === undefined) break;
        state = world.copy(state);
        trail.push(step.label);
        step.act(state);
        world.check(state);
        known.add(hash(state));
        steps += 1;
      }
      settled += 1;
      settle(world, state, random, trail);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      return {
        states: known.size,
        steps,
        settled,
        complete: false,
        violation: { message: error.message, trace: trail },
      };
    }
  }
  return { states: known.size, steps, settled, complete: false, violation: null };
}

const LONGEST = 200;
const WEIGHTS = { go: 6, new: 2, fault: 1 } as const;

function choose<State>(steps: readonly Step<State>[], random: () => number): Step<State> | undefined {
  let rest = random() * steps.reduce((sum, { kind }) => sum + WEIGHTS[kind], 0);
  return steps.find(({ kind }) => {
    rest -= WEIGHTS[kind];
    return rest < 0;
  });
}

function traceTo(parents: readonly { parent: number; label: string }[], index: number): string[] {
  const trace: string[] = [];
  for (let at = index; at > 0; at = parents[at]!.parent) trace.unshift(parents[at]!.label);
  return trace;
}

/** Continues from a state without faults and without new requests. Everything must come to rest. */
function settle<State>(world: World<State>, from: State, random: () => number, trail: string[]): void {
  let state = world.copy(from);
  world.withoutFaults(state);
  for (let left = 400; left > 0; left -= 1) {
    const going = world.steps(state).filter(({ kind }) => kind === "go");
    const step = going[Math.floor(random() * going.length)];
    if (step === undefined) {
      world.checkSettled(state);
      return;
    }
    state = world.copy(state);
    trail.push(step.label);
    step.act(state);
    world.check(state);
  }
  throw new Violation("I4 it does not settle: it goes on for ever");
}

/**
 * Returns a hash of 53 bits. Among a million states, two have the same hash with a probability of about 1 in 10,000.
 */
function hash(state: unknown): number {
  const text = JSON.stringify(state);
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return 4294967296 * (2097151 & b) + (a >>> 0);
}

function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  };
}
