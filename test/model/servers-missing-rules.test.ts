// The negative controls of the model of servers. `.ci/run` divides them among its ten parts (../deep.mjs).
import { describe, expect, it } from "vitest";
import { explore } from "./explorer.ts";
import { SERVER_RULES } from "./servers/rules.ts";
import { WITHOUT_SERVER_RULE } from "./servers/scenarios.ts";
import { twoServers } from "./servers/world.ts";

const STATES_TO_MISS_A_RULE = 120_000;

describe("the model of two servers, with a rule missing,", { timeout: 600_000 }, () => {
  it.each(SERVER_RULES)("finds a violation without the rule $name", ({ name }) => {
    const world = twoServers({ ...WITHOUT_SERVER_RULE[name], off: new Set([name]) });
    const { violation, states } = explore(world, { states: STATES_TO_MISS_A_RULE, settleEvery: 10 });
    console.log(
      `without ${name}: ${states} states, found ${violation?.message} after ${violation?.trace.length} steps`,
    );
    expect(violation?.message).toMatch(/^I\d /);
  });
});
