import { describe, expect, it } from "vitest";
import { type Explored, explore } from "../model/explorer.ts";
import { DEPTH, MUTATIONS, without } from "../model/rules.ts";
import { SCENARIOS, WITHOUT } from "../model/scenarios.ts";

/** Per scenario; where a scenario has fewer all of them are seen. */
const STATES = 20_000;

function said(what: string, { states, steps, settled, complete, violation }: Explored): void {
  const found = violation
    ? `${violation.message}, after ${violation.trace.length} steps`
    : complete
      ? "nothing, all seen"
      : "nothing";
  console.log(`${what}: ${states} states, ${steps} steps, ${settled} settled: ${found}`);
}

describe("the model of the protocol", { timeout: 120_000 }, () => {
  it.each(SCENARIOS)("finds no violation with all rules: $name", ({ name, model }) => {
    const explored = explore({ ...model, off: new Set() }, { states: STATES, settleEvery: 50 });
    said(name, explored);
    expect(explored.violation).toBeNull();
  });

  it.each(MUTATIONS)("finds a violation without the rule $name", ({ name }) => {
    const explored = explore({ ...WITHOUT[name], off: without(name) }, { states: STATES, settleEvery: 10 });
    said(`without ${name}`, explored);
    expect(explored.violation?.message).toMatch(/^I\d /);
  });

  it.each(DEPTH)("finds nothing without $name alone: other rules carry the safety", ({ name }) => {
    const explored = explore({ ...WITHOUT[name], off: without(name) }, { states: STATES, settleEvery: 50 });
    said(`without ${name}`, explored);
    expect(explored.violation).toBeNull();
  });
});
