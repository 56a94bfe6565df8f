// The negative controls of the model. `.ci/run` divides them among its ten parts (../deep.mjs).
import { describe, expect, it } from "vitest";
import { explore, walk } from "./explorer.ts";
import { DEPTH, MUTATIONS, without } from "./rules.ts";
import { SEED, STATES, said } from "./runs.ts";
import { ALL_TROUBLES, WITHOUT } from "./scenarios.ts";
import { cluster } from "./world.ts";

/** One and a half times the states that the rule which is missed last needs. */
const STATES_TO_MISS_A_RULE = 60_000;

describe("the model of the protocol, with a rule missing,", { timeout: 600_000 }, () => {
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
