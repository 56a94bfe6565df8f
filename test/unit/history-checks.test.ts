import { describe, expect, it } from "vitest";
import {
  disk,
  expectViolation,
  healed,
  log,
  push,
  REPOSITORY,
  read,
  sound,
  watched,
  X,
  Y,
} from "../support/small-history.ts";
import { verdictsOf } from "../torture/checks/all.ts";
import { convergence, endings, leftovers, liveness } from "../torture/checks/at-the-end.ts";
import { durability } from "../torture/checks/durability.ts";
import { elsewhere } from "../torture/checks/elsewhere.ts";
import { linearizability } from "../torture/checks/linearizability.ts";
import { monotonicReads } from "../torture/checks/sessions.ts";
import { watching } from "../torture/checks/watching.ts";
import { fromJsonLines, type HistoryRecord, type LogVersion, toJsonLines } from "../torture/history.ts";
import { reportOf } from "../torture/report.ts";

describe("a sound history", () => {
  it("passes every check, and no check is empty", () => {
    for (const verdict of verdictsOf(sound)) {
      expect(verdict).toMatchObject({ violations: [] });
      expect(verdict.looked, verdict.check).toBeGreaterThan(0);
    }
    expect(reportOf(sound)).toMatchObject({ ok: true });
  });

  it("is the same after it has been exported", () => {
    expect(fromJsonLines(toJsonLines(sound))).toEqual(sound);
  });

  it("fails a check that finds nothing to look at", () => {
    expect(reportOf([healed])).toMatchObject({ ok: false, text: expect.stringContaining("LOOKED AT NOTHING") });
  });
});

describe("durability", () => {
  it("rejects an acknowledged push that the log lacks", () => {
    expectViolation(
      durability,
      [push(1, 0, { [X]: "a" })],
      /was acknowledged as a, and the log has no such change/,
      [1],
    );
  });

  it("rejects a refused push that the log has", () => {
    expectViolation(durability, [push(1, 0, { [X]: "a" }, "failed"), ...log({ [X]: "a" })], /was refused/, [1]);
  });

  it("rejects a value that was seen and never decided", () => {
    expectViolation(durability, [push(1, 0, { [X]: "a" }, "unknown"), read(2, 2, { [X]: "a" })], /never decided/, [2]);
  });

  it("rejects a log with a gap, a break, and a change that came twice", () => {
    const [one, two] = log({ [X]: "a" }, { [X]: "b" }) as [LogVersion, LogVersion];
    expectViolation(durability, [one, { ...two, version: 3 }], /After version 1 of team\/one the log has 3/, []);
    const broken = { ...two, changes: [{ ref: X, old: null, new: "b" }] };
    expectViolation(durability, [one, broken], /changes team\/one refs\/heads\/x from missing, which was a/, []);
    expectViolation(durability, log({ [X]: "a" }, { [X]: "b" }, { [X]: "a" }), /became a a second time/, []);
  });
});

describe("at the end", () => {
  it("convergence rejects a disk that lacks a ref, and a fold that the log does not add up to", () => {
    expectViolation(
      convergence,
      [...log({ [X]: "a" }), disk("repo002", {})],
      /at repo002: refs\/heads\/x is missing, not a/,
      [],
    );
    expectViolation(
      convergence,
      [...log({ [X]: null }), disk("fold", { [Y]: "b" })],
      /at fold: .*y is b, not missing/,
      [],
    );
  });

  it("liveness rejects a device through which no push succeeds in time", () => {
    expectViolation(liveness, [healed, push(1, 51, { [X]: "a" }, "failed")], /No push of .* to repo001/, [1]);
    expectViolation(liveness, [healed], /Nobody pushed to repo001/, []);
    expectViolation(liveness, [healed, push(1, 70, { [X]: "a" })], /within 10 ms/, [1]);
    expectViolation(liveness, [push(1, 40, { [X]: "a" })], /was not healed/, []);
  });

  it("leftovers rejects each kind of finding", () => {
    const rest: HistoryRecord = { record: "rest", place: "repo003", left: ["refs/heads/x.lock"] };
    expectViolation(leftovers, [rest], /Left at repo003: refs\/heads\/x.lock/, []);
  });
});

describe("watching", () => {
  const three = log({ [X]: "a" }, { [X]: "b" }, { [X]: "c" });

  it.each([
    ["misses one", watched(false, 1, 3)],
    ["is told one twice", watched(false, 1, 1, 2, 3)],
    ["is told a later one first", watched(false, 1, 3, 2)],
    ["is told one that has not landed", watched(false, 1, 2, 3, 4)],
    ["may be told again, and misses one", watched(true, 1, 3, 1, 3)],
    ["may be told again, and is told a later one first", watched(true, 1, 3, 2, 3)],
  ])("rejects a listener that %s", (_, listener) => {
    expectViolation(watching, [...three, listener], /the log has 1 2 3\./, []);
  });

  it("lets a webhook be told again", () => {
    expect(watching([...three, watched(true, 1, 2, 1, 2, 3)]).violations).toEqual([]);
  });
});

describe("the report", () => {
  it("names what failed, and shows the operations", () => {
    const { ok, text } = reportOf([...sound, read(8, 12, { [X]: "a", [Y]: "b" })]);
    expect(ok).toBe(false);
    expect(text).toMatch(/✗ monotonic reads: 1 VIOLATIONS/);
    expect(text).toContain('"id":8');
    expect(text).toMatch(/FAILED: .*linearizability per ref/);
  });
});

describe("symbolic refs", () => {
  const alias = "refs/heads/alias";
  const name = `ref: ${X}`;
  const history = [
    push(1, 0, { [X]: "a" }),
    push(2, 2, { [alias]: name }, "ok", { operation: "session" }),
    push(3, 4, { [alias]: null }, "ok", { operation: "session" }),
    push(4, 6, { [alias]: name }, "ok", { operation: "session" }),
    read(5, 8, { [X]: "a", [alias]: "a" }),
    ...log({ [X]: "a" }, { [alias]: name }, { [alias]: null }, { [alias]: name }),
  ];

  it("may be made again as they were, and are read as what they stand for", () => {
    for (const check of [durability, linearizability, monotonicReads]) expect(check(history).violations).toEqual([]);
  });

  it("are the same on every disk as in the log, and so is HEAD", () => {
    const found = (refs: Record<string, string>) =>
      convergence([...history, disk("fold", { HEAD: name, [X]: "a", [alias]: name }), disk("repo001", refs)])
        .violations;
    expect(found({ HEAD: name, [X]: "a", [alias]: name })).toEqual([]);
    expect(found({ HEAD: name, [X]: "a", [alias]: "a" })).toHaveLength(1);
    expect(found({ HEAD: "ref: refs/heads/other", [X]: "a", [alias]: name })).toHaveLength(1);
  });
});

it("a sidecar may end by itself because it cannot run now, or because of its disk", () => {
  const ending = (how: string): HistoryRecord => ({ record: "ending", device: "repo001", how, at: 40, said: "why" });
  const fault = (kind: string): HistoryRecord => ({
    ...{ record: "fault", id: 1, kind, target: "repo001", from: 30, to: 45, outcome: "" },
  });
  expect(endings([healed, ending("3")]).violations).toEqual([]);
  expect(endings([healed, ending("1"), fault("full disk")]).violations).toEqual([]);
  expect(endings([healed, ending("1"), fault("device leaves and joins")]).violations).toEqual([]);
  expect(endings([healed, ending("1"), fault("stop sidecar")]).violations).toHaveLength(1);
  expect(endings([healed, ending("SIGSEGV")]).violations).toHaveLength(1);
});

it("a device that has given its copy up says so, or that it cannot look now, and serves nothing", () => {
  const answer = (code: string, removed = false): HistoryRecord => ({
    ...{ record: "elsewhere", repository: REPOSITORY, device: "repo001", at: 40, removed, code },
  });
  const right = [answer("REPLICA_NOT_FOUND"), answer("REPOSITORY_NOT_FOUND", true), answer("DATABASE_UNAVAILABLE")];
  expect(elsewhere(right)).toMatchObject({ looked: 3, violations: [] });
  for (const code of ["served", "INTERNAL", "REPOSITORY_NOT_FOUND"])
    expect(elsewhere([answer(code)]).violations).toHaveLength(1);
  for (const code of ["served", "REPLICA_NOT_FOUND"])
    expect(elsewhere([answer(code, true)]).violations).toHaveLength(1);
});
