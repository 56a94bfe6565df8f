import { describe, expect, it } from "vitest";
import { explore, walk } from "./explorer.ts";
import { SEED, STATES, said } from "./runs.ts";
import { ALL_TROUBLES, SCENARIOS } from "./scenarios.ts";
import { cluster } from "./world.ts";

const NOTHING_OFF: ReadonlySet<never> = new Set();

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
});
