// How much of the model the tests explore, and how they tell what they found.
import type { Explored } from "./explorer.ts";

/** The number of states a scenario. MODEL_STATES sets another number, and MODEL_SEED makes other walks. */
export const STATES = Number(process.env.MODEL_STATES ?? 5_000);
export const SEED = Number(process.env.MODEL_SEED ?? 1);

/** Prints what an exploration found. */
export function said(what: string, { states, steps, settled, complete, violation }: Explored): void {
  const nothing = complete ? "nothing, and these are all states" : "nothing";
  const found = violation ? `"${violation.message}" after ${violation.trace.length} steps` : nothing;
  console.log(`${what}: ${states} states, ${steps} steps, ${settled} times to rest: found ${found}`);
}
