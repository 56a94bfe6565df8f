// What the files of the model say of steps, processes and objects.
import type { Step as StepOf } from "./explorer.ts";
import type { RuleName } from "./rules.ts";
import type { Device, Model, Process, State, Who } from "./state.ts";

export type Step = StepOf<State>;

export function keeps(model: Model, rule: RuleName): boolean {
  return !model.off.has(rule);
}

/** A process that is known to be there: the steps of one are offered only where it is. */
export function processOf(state: State, d: number, who: Who): Process {
  return state.devices[d]![who]!;
}

export function deviceOf(state: State, d: number): Device {
  return state.devices[d]!;
}

export const bit = (write: number): number => 1 << write;

/** Objects that the values of refs need. */
export function objectsOf(values: readonly number[]): number {
  return values.reduce((objects, value) => objects | bit(value), 0);
}

/** Names the process in labels. */
export function named(d: number, who: Who): string {
  return who === "live" ? `d${d}` : `d${d}'s old process`;
}
