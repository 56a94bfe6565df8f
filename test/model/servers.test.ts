import { describe, expect, it } from "vitest";
import { explore, walk } from "./explorer.ts";
import { SEED, STATES } from "./runs.ts";
import type { ServerRule } from "./servers/rules.ts";
import { ALL_SERVER_TROUBLES, SERVER_SCENARIOS } from "./servers/scenarios.ts";
import { twoServers } from "./servers/world.ts";

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
});
