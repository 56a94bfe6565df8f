// Models a gated read of one ref. Stands for src/sync/read/before-read.ts and src/sync/lease/head-reader.ts.
import { isAhead } from "./database.ts";
import { digestAt, headOf, newestWith, setAt } from "./log.ts";
import { type Model, NONE, type Process, type Read, type State, Violation } from "./state.ts";
import { deviceOf, keeps, named, type Step } from "./step.ts";

export function readSteps(model: Model, state: State, d: number): Step[] {
  const { read, live, query } = deviceOf(state, d);
  if (read !== null) return progress(model, state, d, read);
  const steps: Step[] = [];
  if (state.budget.reads === 0 || live === null) return steps;
  const arrive = (phase: Read["phase"], want: number) => (next: State) => {
    next.budget.reads -= 1;
    deviceOf(next, d).read = { who: "live", phase, need: [...next.seen], want, digest: digestAt(next, want) ?? NONE };
    deviceOf(next, d).query = NONE;
  };
  steps.push({ kind: "new", label: `a read arrives at d${d}`, act: arrive("arrived", 0) });
  if (!keeps(model, "next-query")) {
    const ask = (next: State) => {
      deviceOf(next, d).query = headOf(next);
    };
    if (query === NONE) steps.push({ kind: "new", label: `a query of d${d} has read the head`, act: ask });
    else steps.push({ kind: "new", label: `a read arrives at d${d}, shares the query`, act: arrive("asked", query) });
  }
  return steps;
}

function progress(model: Model, state: State, d: number, read: Read): Step[] {
  const process = deviceOf(state, d)[read.who];
  const name = named(d, read.who);
  const end = (next: State) => {
    deviceOf(next, d).read = null;
  };
  if (read.phase === "admitted") return state.seen.map((_, ref) => look(d, ref));
  if (process === null) return [{ kind: "go", label: `the read at ${name} fails`, act: end }];
  if (read.phase === "arrived") {
    if (process.fence !== state.fences[d])
      return [{ kind: "go", label: `${name} is fenced, the read fails`, act: end }];
    if (isBeyond(model, state, process)) return [{ kind: "go", label: `${name} is ahead, the read fails`, act: end }];
    const want = keeps(model, "freshness") ? headOf(state) : Math.max(process.applied, 0);
    const ask = (next: State) => {
      const mine = deviceOf(next, d).read!;
      mine.phase = "asked";
      mine.want = want;
      mine.digest = digestAt(next, want) ?? NONE;
    };
    return [{ kind: "go", label: `${name} asks for a read: the head is v${want}`, act: ask }];
  }
  if (isNewer(model, process, read)) {
    const again = (next: State) => {
      Object.assign(deviceOf(next, d).read!, { phase: "arrived", want: 0, digest: NONE });
    };
    return [{ kind: "go", label: `${name} has applied something since, asks again`, act: again }];
  }
  if (!isCurrent(model, state, d, process, read.want)) return [];
  const admit = (next: State) => {
    deviceOf(next, d).read!.phase = "admitted";
  };
  return [{ kind: "go", label: `${name} admits the read`, act: admit }];
}

function isBeyond(model: Model, state: State, { applied, held }: Process): boolean {
  if (isAhead(model, state, applied, held, false)) return true;
  const sameNumber = keeps(model, "digest-before-read") && applied === headOf(state);
  return sameNumber && digestAt(state, applied) !== held;
}

/**
 * Returns whether the applied version may be unknown to the database that answered. Only a fail-over makes that
 * possible.
 */
function isNewer(model: Model, { applied, held }: Process, { want, digest }: Read): boolean {
  if (!keeps(model, "asked-after-applied") || model.budget.failOvers === 0) return false;
  return applied > want || (keeps(model, "digest-before-read") && applied === want && held !== digest);
}

function isCurrent(model: Model, state: State, d: number, { applied, push }: Process, want: number): boolean {
  if (keeps(model, "version-after-refs")) return applied >= want;
  return state.recorded[d]! >= want && push?.phase !== "landed";
}

/** Checks an admitted read: its value must be decided, and not older than any value seen before the read arrived. */
function look(d: number, ref: number): Step {
  return {
    kind: "go",
    label: `the read at d${d} looks at ref${ref}`,
    act: (next) => {
      const device = deviceOf(next, d);
      const value = device.refs[ref]!;
      const version = newestWith(next, ref, value);
      if (version < 0) throw new Violation(`I3 a read at d${d} returns ref${ref} = ${value}, which is not decided`);
      const need = device.read!.need[ref]!;
      if (version < need)
        throw new Violation(`I1 a read at d${d} returns ref${ref} of v${version}, v${need} was seen before it`);
      next.seen[ref] = Math.max(next.seen[ref]!, setAt(next, ref, value));
      device.read = null;
    },
  };
}
