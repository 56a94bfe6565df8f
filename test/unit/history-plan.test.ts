import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { FAULTS, faultSchedule } from "../torture/fault-schedule.ts";
import { commandOf, NAMES } from "../torture/odd-names.ts";
import { drawPlan } from "../torture/plan.ts";
import { randomOf } from "../torture/random.ts";

const DEVICES = ["repo001", "repo002", "repo003"];
const REPOSITORIES = ["team/one", "team/two"];

function faultsOf(seed: number, count: number, losesDisks = true) {
  const schedule = faultSchedule(randomOf(seed, 0), { devices: DEVICES, repositories: REPOSITORIES, losesDisks });
  return Array.from({ length: count }, () => schedule.next().value!);
}

function plansOf(seed: number, client: number) {
  const random = randomOf(seed, client);
  return Array.from({ length: 200 }, () => drawPlan(random, REPOSITORIES, DEVICES));
}

describe("the plan of a run", () => {
  it("comes again with the seed, and is another with another", () => {
    expect(faultsOf(7, 200)).toEqual(faultsOf(7, 200));
    expect(faultsOf(7, 200)).not.toEqual(faultsOf(8, 200));
    expect(plansOf(7, 1)).toEqual(plansOf(7, 1));
    expect(plansOf(7, 1)).not.toEqual(plansOf(7, 2));
  });

  it("has faults of every kind, and between two devices never one alone", () => {
    const faults = faultsOf(1, 2_000);
    expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(Object.keys(FAULTS)));
    expect(faultsOf(1, 2_000, false).filter(({ kind }) => kind === "lose disk")).toEqual([]);
    expect(faults.filter(({ device, other }) => device === other)).toEqual([]);
  });

  it("names two different refs for an atomic push", () => {
    const atomic = plansOf(3, 1).filter(({ operation }) => operation === "atomic");
    expect(atomic.length).toBeGreaterThan(5);
    for (const { refs } of atomic) expect(new Set(refs).size).toBe(2);
  });
});

it("a program is given arguments of any bytes", () => {
  const args = [...NAMES, "it's $HOME \"\\ %s", "a\nb"];
  const found = args.map((arg) => execFileSync(...commandOf("printf", ["%s", arg])).toString("latin1"));
  expect(found).toEqual(args);
  const [program, words] = commandOf("printf", ["%s|", ...args]);
  expect(execFileSync(program, words).toString("latin1")).toBe(args.map((arg) => `${arg}|`).join(""));
});
