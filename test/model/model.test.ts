import { describe, expect, it } from "vitest";
import { type Explored, explore, walk } from "./explorer.ts";
import { DEPTH, MUTATIONS, without } from "./rules.ts";
import { ALL_TROUBLES, SCENARIOS, WITHOUT } from "./scenarios.ts";
import { cluster } from "./world.ts";

/** The number of states a scenario. MODEL_STATES sets another number, and MODEL_SEED makes other walks. */
const STATES = Number(process.env.MODEL_STATES ?? 5_000);
const SEED = Number(process.env.MODEL_SEED ?? 1);
/** One and a half times the states that the rule which is missed last needs. */
const STATES_TO_MISS_A_RULE = 60_000;

const NOTHING_OFF: ReadonlySet<never> = new Set();

function said(what: string, { states, steps, settled, complete, violation }: Explored): void {
  const nothing = complete ? "nothing, and these are all states" : "nothing";
  const found = violation ? `"${violation.message}" after ${violation.trace.length} steps` : nothing;
  console.log(`${what}: ${states} states, ${steps} steps, ${settled} times to rest: found ${found}`);
}

describe("the model of the protocol", { timeout: 600_000 }, () => {
  it.each(SCENARIOS)("finds no violation with all rules: $name", ({ name, model }) => {
    const explored = explore(cluster({ ...model, off: NOTHING_OFF }), { states: STATES, settleEvery: 50 });
    said(name, explored);
    expect(explored.violation).toBeNull();
  });

  it.each(ALL_TROUBLES)("finds no violation at random with all rules: $name", ({ name, model }) => {
    const explored = walk(cluster({ ...model, off: NOTHING_OFF }), { steps: STATES, seed: SEED });
    said(`at random, seed ${SEED}: ${name}`, explored);
    expect(explored.violation).toBeNull();
  });

  it.each(MUTATIONS)("finds a violation without the rule $name", ({ name }) => {
    const model = { ...WITHOUT[name], off: without(name) };
    const explored = explore(cluster(model), { states: STATES_TO_MISS_A_RULE, settleEvery: 10 });
    said(`without ${name}`, explored);
    expect(explored.violation?.message).toMatch(/^I\d /);
  });

  it.each(DEPTH)("finds nothing without $name alone: other rules carry the safety", ({ name }) => {
    const explored = explore(cluster({ ...WITHOUT[name], off: without(name) }), { states: STATES, settleEvery: 50 });
    said(`without ${name}`, explored);
    expect(explored.violation).toBeNull();
    for (const { model, name: troubles } of ALL_TROUBLES) {
      const walked = walk(cluster({ ...model, off: without(name) }), { steps: STATES, seed: SEED });
      said(`without ${name}, at random: ${troubles}`, walked);
      expect(walked.violation).toBeNull();
    }
  });

  it("names each rule once", () => {
    const names = [...MUTATIONS, ...DEPTH].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
