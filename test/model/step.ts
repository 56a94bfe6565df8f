// Shared by the files of the model: steps, processes and objects.
import type { Step as StepOf } from "./explorer.ts";
import type { RuleName } from "./rules.ts";
import type { Device, Model, Process, State, Who } from "./state.ts";

export type Step = StepOf<State>;

export function keeps(model: Model, rule: RuleName): boolean {
  return !model.off.has(rule);
}

/** Returns a process that must exist: the steps of a process are offered only while it exists. */
export function processOf(state: State, d: number, who: Who): Process {
  return state.devices[d]![who]!;
}

export function deviceOf(state: State, d: number): Device {
  return state.devices[d]!;
}

export const bit = (write: number): number => 1 << write;

/** Returns the objects that the values of refs need. */
export function objectsOf(values: readonly number[]): number {
  return values.reduce((objects, value) => objects | bit(value), 0);
}

/** Returns the name of a process for labels. */
export function named(d: number, who: Who): string {
  return who === "live" ? `d${d}` : `d${d}'s old process`;
}

/** Returns whether a ref clashes with another. If the last ref lies below the first, git can hold only one of them. */
export function clashes(refs: readonly number[], ref: number): boolean {
  const last = refs.length - 1;
  return (ref === last && refs[0] !== 0) || (ref === 0 && refs[last] !== 0);
}
