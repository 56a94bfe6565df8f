// Checks each ref as one register, on whichever device it is read and written. The only evidence is what clients saw.
import type { History } from "../history.ts";
import { settle } from "./settle.ts";
import { stepsOf } from "./steps.ts";
import type { Verdict, Violation } from "./verdict.ts";
import { type Effect, linearize, type Step } from "./wgl.ts";

/** Checks that the operations on each ref have an order that fits what every client saw, and when. */
export function linearizability(history: History): Verdict {
  const registers = stepsOf(history);
  const violations = [...registers].flatMap(([register, steps]) => violationsOf(register, settle(steps)));
  const looked = [...registers.values()].reduce((sum, steps) => sum + steps.length, 0);
  return { check: "linearizability per ref", looked, violations };
}

/** Returns a violation if the steps of a register have no order, else an empty list. */
export function violationsOf(register: string, steps: readonly Step[]): Violation[] {
  const answer = linearize(steps);
  if (answer.outcome === "linearizable") return [];
  if (answer.outcome === "undecided")
    return [{ what: `The search for an order of ${steps.length} steps on ${register} was given up.`, operations: [] }];
  const { stuck, state } = answer;
  const near = steps.filter(({ invoked, returned }) => invoked <= stuck.returned && returned >= stuck.invoked);
  return [
    {
      what: `No order fits ${register}: operation ${stuck.operation} ${inWords(stuck.effect)} where the ref was ${state ?? "missing"}.`,
      operations: [stuck.operation, ...near.map(({ operation }) => operation)].filter(isFirst).slice(0, 12),
    },
  ];
}

function inWords(effect: Effect): string {
  if (effect.kind === "read") return `read ${effect.value ?? "that it is missing"}`;
  if (effect.kind === "mismatch") return `was told that it was not ${effect.expected ?? "missing"}`;
  const from = effect.old === undefined ? "" : ` from ${effect.old ?? "missing"}`;
  return `changed it${from} to ${effect.value ?? "missing"}`;
}

function isFirst(id: number, index: number, all: readonly number[]): boolean {
  return all.indexOf(id) === index;
}
