import { describe, expect, it } from "vitest";
import {
  clientOf,
  NO_WAITS,
  namedRefs,
  type PullEvent,
  type PushEvent,
  refusalOf,
  waitsOf,
} from "../../src/activity/activity.ts";
import { EventLog } from "../../src/activity/event-log.ts";
import { LockstepError } from "../../src/errors.ts";
import { ref, update } from "../support/refs.ts";

const client = { author: "ada", address: null, way: "direct", requestId: null } as const;
const pull = (repository: string): PullEvent => ({
  ...{ endedAt: 0, client, repository, repositoryId: null, what: "read", result: "current", version: 1n },
  ...{ code: null, reason: null, waitMs: 1, durationMs: 1 },
});
const push = (repository: string): PushEvent => ({
  ...{ endedAt: 0, client, repository, repositoryId: null, result: "landed", version: 1n, code: null, reason: null },
  ...{ refs: [], refsTotal: 0, durationMs: 1, waits: NO_WAITS },
});

function open(pullsPerRound = 5) {
  const dropped: [string, number][] = [];
  const log = new EventLog({ pullsPerRound, onDropped: (name, count) => void dropped.push([name, count]) });
  return { log, dropped };
}

describe("the rows that wait", () => {
  it("are all reads up to the rate, each for itself", () => {
    const { log } = open();
    for (const name of ["a", "b", "c"]) log.pulled(() => pull(name));
    expect(log.take().pulls.map(({ pull: { repository }, standsFor }) => [repository, standsFor])).toEqual([
      ["a", 1],
      ["b", 1],
      ["c", 1],
    ]);
    expect(log.take()).toEqual({ pushes: [], pulls: [] });
  });

  it("are a sample of more reads, which stands for all of them, and in which late reads are too", () => {
    const { log } = open();
    const late: number[] = [];
    for (let round = 0; round < 100; round += 1) {
      for (let index = 0; index < 51; index += 1) log.pulled(() => pull(String(index)));
      const { pulls } = log.take();
      expect(pulls).toHaveLength(5);
      expect(pulls.reduce((sum, { standsFor }) => sum + standsFor, 0)).toBe(51);
      late.push(pulls.filter((each) => Number(each.pull.repository) >= 26).length);
    }
    // Half of the reads are late: some 250 of 500.
    const found = late.reduce((sum, each) => sum + each, 0);
    expect(found).toBeGreaterThan(150);
    expect(found).toBeLessThan(350);
  });

  it("are none where the rate is 0, and a read that is left out is not even described", () => {
    const { log } = open(0);
    log.pulled(() => {
      throw new Error("described");
    });
    expect(log.take().pulls).toEqual([]);
  });

  it("are the newest 5,000 while nobody writes them, and what was dropped is told", () => {
    const { log, dropped } = open();
    for (let index = 0; index < 5_003; index += 1) log.pushed(push(String(index)));
    expect(dropped).toEqual(Array(3).fill(["pushes", 1]));
    const taken = log.take();
    expect(taken.pushes[0]?.repository).toBe("3");
    log.pushed(push("new"));
    log.giveBack(taken);
    expect(dropped).toHaveLength(4);
    const again = log.take();
    expect([again.pushes.length, again.pushes[0]?.repository, again.pushes.at(-1)?.repository]).toEqual([
      5_000,
      "4",
      "new",
    ]);
  });

  it("can be dropped from the first one on", () => {
    const { log, dropped } = open();
    const rows = [push("a"), push("b"), push("c")];
    log.drop(rows, 2);
    expect(rows.map(({ repository }) => repository)).toEqual(["c"]);
    expect(dropped).toEqual([["pushes", 2]]);
  });
});

describe("a row", () => {
  it("says what a push waited for, by the steps of its stopwatch", () => {
    const laps = { readMs: 7, policyMs: 30, mutexMs: 5, turnMs: 6, stageMs: 1, prepareMs: 2, syncMs: 3, landMs: 4 };
    expect(
      waitsOf({ laps: { ...laps, commitMs: 8, copiesMs: 9 }, durationMs: 99 }, { update: 20, before: 100 }),
    ).toEqual({ host: 23, database: 5, copies: 9, writers: 11, reads: 7, hooks: 120 });
    expect(waitsOf({ laps: {}, durationMs: 99 }, { update: 0, before: 0 })).toMatchObject({ reads: 99, host: 0 });
  });

  it.each([
    [
      { REMOTE_ADDR: "10.0.0.7", LOCKSTEP_REQUEST_ID: "r" },
      { way: "http", address: "10.0.0.7", requestId: "r" },
    ],
    [{ SSH_CONNECTION: "10.0.0.8 50 10.0.0.1 22" }, { way: "ssh", address: "10.0.0.8", requestId: null }],
    [{}, { way: "direct", address: null, requestId: null }],
    [{ SSH_CONNECTION: "" }, { way: "direct", address: null, requestId: null }],
  ])("of a client with %j has %j", (env, found) => {
    expect(clientOf(new Map(Object.entries(env)), "ada")).toEqual({ author: "ada", ...found });
  });

  it("has short texts without NUL, and the first twenty refs", () => {
    const long = clientOf(new Map(), `${"x".repeat(199)}\u{1f600}`);
    expect(long.author).toBe("x".repeat(199));
    expect(clientOf(new Map(), "a\0b").author).toBe("ab");
    const updates = Array.from({ length: 21 }, (_, index) => update(`refs/heads/${index}`, null, "a".repeat(40)));
    const refs = namedRefs(updates, (name) => (name === ref("refs/heads/1") ? "y".repeat(300) : null));
    expect(refs).toHaveLength(20);
    expect(refs.slice(0, 2)).toEqual([
      ["refs/heads/0", null, "a".repeat(40), null],
      ["refs/heads/1", null, "a".repeat(40), "y".repeat(200)],
    ]);
  });

  it("has the code of a refusal, and INTERNAL for what nobody expected", () => {
    expect(refusalOf(new LockstepError("WRITES_STOPPED", "No."))).toEqual({ code: "WRITES_STOPPED", reason: "No." });
    expect(refusalOf(new TypeError("x is not a function"))).toEqual({
      code: "INTERNAL",
      reason: "x is not a function",
    });
  });
});
