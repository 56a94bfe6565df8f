import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { refusalsOf } from "../../src/gate/calls/report-refusals.ts";
import { type Counted, Tally } from "../../src/telemetry/tally.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const tally = (handOver: (counted: readonly Counted<string>[]) => Promise<void>, onFailure = vi.fn()) =>
  new Tally<string>({
    kindOf: (thing) => thing,
    kinds: 3,
    rest: () => "others",
    handOver,
    onFailure,
    goodbyeMs: 1_000,
  });

describe("a tally", () => {
  it("hands equal things over once in 20 seconds, with their number", async () => {
    const handed: [string, number][] = [];
    await using counted = tally(
      async (all) => void handed.push(...all.map(({ thing, count }) => [thing, count] as [string, number])),
    );
    for (let second = 0; second < 60; second += 1) {
      for (let times = 0; times < 100; times += 1) counted.note("a");
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(handed.length).toBeLessThanOrEqual(4);
    expect(handed[0]).toEqual(["a", 100]);
    await counted[Symbol.asyncDispose]();
    expect(handed.reduce((sum, [, count]) => sum + count, 0)).toBe(6_000);
  });

  it("counts what is beyond its kinds as one kind", async () => {
    const handed: [string, number][] = [];
    await using counted = tally(
      async (all) => void handed.push(...all.map(({ thing, count }) => [thing, count] as [string, number])),
    );
    for (let each = 0; each < 1_000; each += 1) counted.note(`kind ${each}`);
    await vi.advanceTimersByTimeAsync(200);
    expect(handed).toEqual([
      ["kind 0", 1],
      ["kind 1", 1],
      ["kind 2", 1],
      ["others", 997],
    ]);
  });

  it("counts on while nobody takes over what it has, and loses nothing", async () => {
    const handed: number[] = [];
    const onFailure = vi.fn();
    let away = true;
    await using counted = tally(async (all) => {
      if (away) throw new Error("away");
      handed.push(...all.map(({ count }) => count));
    }, onFailure);
    counted.note("a");
    await vi.advanceTimersByTimeAsync(30_000);
    counted.note("a", 5);
    expect(onFailure).toHaveBeenCalledTimes(2);
    away = false;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(handed).toEqual([6]);
  });
});

describe("the gate tells the sidecar of refused credentials", () => {
  const asked: { refused: { user: string; count: number }[] }[] = [];
  const open = (call: (request: never) => Promise<unknown>, warn = vi.fn()) =>
    refusalsOf({ call: async (_: string, request: never) => await call(request) } as never, { warn } as never, 30_000);
  const refused = { user: "ada", address: "192.0.2.7", way: "--htpasswd", forbidden: false, why: "wrong" };
  beforeEach(() => void asked.splice(0));

  it("in one call for a thousand of many names and addresses", async () => {
    await using refusals = open(async (request) => void asked.push(request));
    for (let each = 0; each < 1_000; each += 1)
      refusals.note({ ...refused, user: `u${each}`, address: `192.0.2.${each % 250}` });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toHaveLength(1);
    expect(asked[0]!.refused).toHaveLength(51);
    expect(asked[0]!.refused.at(-1)).toMatchObject({ user: "", address: "many addresses", count: 950 });
  });

  it("in texts that the database takes", async () => {
    await using refusals = open(async (request) => void asked.push(request));
    refusals.note({ ...refused, user: `a\0${"x".repeat(198)}😀` });
    await vi.advanceTimersByTimeAsync(200);
    expect(asked[0]!.refused[0]!.user).toBe(`a${"x".repeat(198)}`);
  });

  it("when the sidecar is back, if it was away; the log says so", async () => {
    let away = true;
    const warn = vi.fn();
    await using refusals = open(async (request) => {
      if (away) throw new Error("away");
      asked.push(request);
    }, warn);
    refusals.note(refused);
    await vi.advanceTimersByTimeAsync(200);
    expect(warn).toHaveBeenCalledTimes(1);
    away = false;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(asked.map((each) => each.refused)).toEqual([[{ ...refused, count: 1 }]]);
  });
});
