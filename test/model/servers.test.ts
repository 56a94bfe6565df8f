import { describe, expect, it } from "vitest";
import { explore, walk } from "./explorer.ts";
import { SERVER_RULES, type ServerRule } from "./servers/rules.ts";
import { ALL_SERVER_TROUBLES, SERVER_SCENARIOS, WITHOUT_SERVER_RULE } from "./servers/scenarios.ts";
import { twoServers } from "./servers/world.ts";

/** The number of states a scenario. MODEL_STATES sets another number, and MODEL_SEED makes other walks. */
const STATES = Number(process.env.MODEL_STATES ?? 5_000);
const SEED = Number(process.env.MODEL_SEED ?? 1);
const STATES_TO_MISS_A_RULE = 120_000;
const NOTHING_OFF: ReadonlySet<ServerRule> = new Set();

describe("the model of a primary, its standby and an old primary that lives on", { timeout: 600_000 }, () => {
  it.each(SERVER_SCENARIOS)("finds no violation with all rules: $name", ({ name, model }) => {
    const explored = explore(twoServers({ ...model, off: NOTHING_OFF }), { states: STATES, settleEvery: 50 });
    console.log(`${name}: ${explored.states} states, found ${explored.violation?.message ?? "nothing"}`);
    expect(explored.violation).toBeNull();
  });

  it("finds no violation at random with all rules", () => {
    const walked = walk(twoServers({ ...ALL_SERVER_TROUBLES, off: NOTHING_OFF }), { steps: STATES, seed: SEED });
    expect(walked.violation).toBeNull();
  });

  it.each(SERVER_RULES)("finds a violation without the rule $name", ({ name }) => {
    const world = twoServers({ ...WITHOUT_SERVER_RULE[name], off: new Set([name]) });
    const { violation, states } = explore(world, { states: STATES_TO_MISS_A_RULE, settleEvery: 10 });
    console.log(
      `without ${name}: ${states} states, found ${violation?.message} after ${violation?.trace.length} steps`,
    );
    expect(violation?.message).toMatch(/^I\d /);
  });
});
