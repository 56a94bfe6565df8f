import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { settle } from "../torture/checks/settle.ts";
import { applied, type Effect, linearize, type Step } from "../torture/checks/wgl.ts";
import type { Value } from "../torture/history.ts";

const NEVER = Number.POSITIVE_INFINITY;

/** Every order of every choice of open steps, by hand. */
function byBruteForce(steps: readonly Step[], state: Value = null): boolean {
  if (steps.every(({ returned }) => returned === NEVER)) return true;
  const bound = Math.min(...steps.map(({ returned }) => returned));
  return steps.some((step) => {
    if (step.invoked > bound) return false;
    const next = applied(step.effect, state);
    const rest = steps.filter((other) => other !== step);
    return next !== undefined && byBruteForce(rest, next);
  });
}

const value = fc.constantFrom<Value>(null, "a", "b", "c");
const effect: fc.Arbitrary<Effect> = fc.oneof(
  value.map((each): Effect => ({ kind: "read", value: each })),
  fc.tuple(value, value).map(([to, old]): Effect => ({ kind: "write", value: to, old })),
  value.map((to): Effect => ({ kind: "write", value: to })),
);
const mismatch = value.map((expected): Effect => ({ kind: "mismatch", expected }));

/** Times are small whole numbers, so that many steps overlap or touch. */
function historyOf(of: fc.Arbitrary<Effect>): fc.Arbitrary<Step[]> {
  const step = fc.tuple(of, fc.nat(9), fc.nat(4), fc.nat(3)).map(([each, invoked, takes, open]) => ({
    invoked,
    returned: open === 0 && each.kind === "write" ? NEVER : invoked + takes,
    effect: each,
  }));
  return fc
    .array(step, { minLength: 1, maxLength: 6 })
    .map((steps) => steps.map((each, operation) => ({ operation, ...each })));
}

/** Every value but null is written by one step at most, as pushes of fresh commits do. */
function writtenOnce(steps: readonly Step[]): boolean {
  const values = steps.flatMap(({ effect }) =>
    effect.kind === "write" && effect.value !== null ? [effect.value] : [],
  );
  return new Set(values).size === values.length;
}

const runs = { numRuns: 1_000 };

describe("the search for an order", () => {
  it("finds one exactly where brute force does", () => {
    fc.assert(
      fc.property(historyOf(fc.oneof(effect, mismatch)), (steps) => {
        expect(linearize(steps).outcome === "linearizable").toBe(byBruteForce(steps));
      }),
      runs,
    );
  });

  it("finds one exactly where brute force does after unknown writes have been settled", () => {
    let refused = 0;
    fc.assert(
      fc.property(historyOf(effect).filter(writtenOnce), (steps) => {
        const expected = byBruteForce(steps);
        if (!expected) refused += 1;
        expect(linearize(settle(steps)).outcome === "linearizable").toBe(expected);
      }),
      runs,
    );
    // Both answers must have come up, or nothing was compared.
    expect(refused).toBeGreaterThan(100);
    expect(refused).toBeLessThan(900);
  });

  it("accepts what brute force accepts, refusals included, after unknown writes have been settled", () => {
    fc.assert(
      fc.property(historyOf(fc.oneof(effect, mismatch)).filter(writtenOnce), (steps) => {
        fc.pre(byBruteForce(steps));
        expect(linearize(settle(steps)).outcome).toBe("linearizable");
      }),
      runs,
    );
  });

  it("names the step that has no place, and what the ref held", () => {
    const steps: Step[] = [
      { operation: 1, invoked: 0, returned: 1, effect: { kind: "write", value: "a" } },
      { operation: 2, invoked: 2, returned: 3, effect: { kind: "write", value: "b", old: "a" } },
      { operation: 3, invoked: 4, returned: 5, effect: { kind: "read", value: "a" } },
    ];
    expect(linearize(steps)).toEqual({ outcome: "not linearizable", stuck: steps[2], state: "b" });
  });

  it("gives up rather than search for ever", () => {
    const steps = Array.from(
      { length: 12 },
      (_, operation): Step => ({
        operation,
        invoked: 0,
        returned: 1,
        effect: { kind: "write", value: `v${operation}` },
      }),
    );
    const read: Step = { operation: 99, invoked: 2, returned: 3, effect: { kind: "read", value: "never" } };
    expect(linearize([...steps, read], 500)).toEqual({ outcome: "undecided" });
  });
});
