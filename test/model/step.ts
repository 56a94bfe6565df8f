// A thing that may happen next.
import type { RuleName } from "./rules.ts";
import type { Device, Model, Process, State, Who } from "./state.ts";

export interface Step {
  /** go: happens by itself, sooner or later. new: someone wants something. fault: need not happen at all. */
  readonly kind: "go" | "new" | "fault";
  readonly label: string;
  /** Changes a copy of the state it was offered in. Throws a Violation where it would break an invariant. */
  readonly act: (next: State) => void;
}

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
