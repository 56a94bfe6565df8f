import { describe, expect, it } from "vitest";
import { verdictsOf } from "../torture/checks/all.ts";
import { convergence, endings, leftovers, liveness } from "../torture/checks/at-the-end.ts";
import { atomicity } from "../torture/checks/atomicity.ts";
import { durability } from "../torture/checks/durability.ts";
import { elsewhere } from "../torture/checks/elsewhere.ts";
import { linearizability } from "../torture/checks/linearizability.ts";
import { monotonicReads, readYourWrites } from "../torture/checks/sessions.ts";
import type { Check } from "../torture/checks/verdict.ts";
import { watching } from "../torture/checks/watching.ts";
import {
  type Change,
  fromJsonLines,
  type History,
  type HistoryRecord,
  type LogVersion,
  type Operation,
  type Result,
  toJsonLines,
  type Value,
} from "../torture/history.ts";
import { reportOf } from "../torture/report.ts";

const REPOSITORY = "team/one";
const X = "refs/heads/x";
const Y = "refs/heads/y";

type Told = Partial<Pick<Operation, "client" | "device" | "operation">>;

/** A history as one writes it down: each operation takes one unit of time, beginning at `at`. */
function push(id: number, at: number, refs: Record<string, Value>, result: Result = "ok", told: Told = {}): Operation {
  const changes = Object.entries(refs).map(([ref, value]): Change => ({ ref, new: value, result }));
  return { ...common(id, at, told), operation: told.operation ?? "force", result, changes };
}

function read(id: number, at: number, refs: Record<string, string>, told: Told = {}): Operation {
  return { ...common(id, at, told), operation: "ls-remote", result: "ok", scope: "refs/", refs };
}

function common(id: number, at: number, { client = "ada", device = "repo001" }: Told) {
  return { record: "operation" as const, id, client, device, repository: REPOSITORY, invoked: at, returned: at + 1 };
}

function log(...versions: Record<string, Value>[]): LogVersion[] {
  const held = new Map<string, Value>();
  return versions.map((refs, index) => {
    const changes = Object.entries(refs).map(([ref, value]) => ({ ref, old: held.get(ref) ?? null, new: value }));
    for (const [ref, value] of Object.entries(refs)) held.set(ref, value);
    return { record: "log", repository: REPOSITORY, version: index + 1, changes };
  });
}

function disk(place: string, refs: Record<string, string>): HistoryRecord {
  return { record: "refs", repository: REPOSITORY, place, refs };
}

function watched(mayRepeat: boolean, ...versions: number[]): HistoryRecord {
  const told = versions.map((version) => ({ repository: REPOSITORY, version }));
  return { record: "watched", by: "somebody", mayRepeat, versions: told };
}

const healed: HistoryRecord = { record: "healed", at: 50, devices: ["repo001"], bound: 10 };

/** What a sound run leaves. */
const sound: History = [
  push(1, 0, { [X]: "a", [Y]: "b" }, "ok", { operation: "atomic" }),
  read(2, 2, { [X]: "a", [Y]: "b" }, { client: "bob", device: "repo002" }),
  push(3, 4, { [X]: "lost" }, "unknown"),
  push(4, 6, { [X]: "c" }),
  read(5, 8, { [X]: "c", [Y]: "b" }, { device: "repo003" }),
  read(7, 10, { [X]: "c", [Y]: "b" }, { device: "repo002" }),
  ...log({ [X]: "a", [Y]: "b" }, { [X]: "c" }, { [X]: "d" }),
  healed,
  push(6, 51, { [X]: "d" }),
  disk("fold", { [X]: "d", [Y]: "b" }),
  disk("repo001", { [X]: "d", [Y]: "b" }),
  { record: "rest", place: "repo001", left: [] },
  watched(false, 1, 2, 3),
  watched(true, 1, 2, 1, 2, 3),
];

function expectViolation(check: Check, history: History, what: RegExp, operations: number[]): void {
  const { violations } = check(history);
  expect(violations.length).toBeGreaterThan(0);
  expect(violations[0]!.what).toMatch(what);
  expect(violations[0]!.operations).toEqual(expect.arrayContaining(operations));
}

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

describe("read your writes", () => {
  it("rejects a client that reads an older value on another device than it has pushed", () => {
    const history = [
      push(1, 0, { [X]: "a" }),
      push(2, 2, { [X]: "b" }),
      read(3, 4, { [X]: "a" }, { device: "repo002" }),
      ...log({ [X]: "a" }, { [X]: "b" }),
    ];
    expectViolation(readYourWrites, history, /ada had pushed version 2 .* read refs\/heads\/x on repo002 as a/, [2, 3]);
    // Somebody else has promised nothing yet.
    expect(
      readYourWrites(
        history.map((each) => (each.record === "operation" && each.id === 3 ? { ...each, client: "bob" } : each)),
      ).violations,
    ).toEqual([]);
  });

  it("accepts that somebody else's later value is read, and that a ref is missing again", () => {
    const versions = log({ [X]: "a" }, { [X]: "b" }, { [X]: null });
    expect(
      readYourWrites([push(1, 0, { [X]: "a" }), read(2, 2, { [X]: "b" }), read(3, 4, {}), ...versions]).violations,
    ).toEqual([]);
  });

  it("rejects a ref that is missing after it was made", () => {
    const history = [push(1, 0, { [X]: "a" }), read(2, 2, {}), ...log({ [X]: "a" })];
    expectViolation(readYourWrites, history, /as missing/, [1, 2]);
  });
});

describe("monotonic reads", () => {
  it("rejects a client that goes back in time between two devices", () => {
    const history = [
      read(1, 2, { [X]: "b" }),
      read(2, 4, { [X]: "a" }, { device: "repo002" }),
      ...log({ [X]: "a" }, { [X]: "b" }),
    ];
    expectViolation(monotonicReads, history, /had read version 2 .* as a/, [1, 2]);
  });

  it("knows that the same absence may come twice", () => {
    const versions = log({ [X]: "a" }, { [X]: null }, { [X]: "b" });
    expect(
      monotonicReads([read(1, 0, {}), read(2, 2, { [X]: "a" }), read(3, 4, {}), read(4, 6, { [X]: "b" }), ...versions])
        .violations,
    ).toEqual([]);
    expectViolation(monotonicReads, [read(1, 0, { [X]: "b" }), read(2, 2, {}), ...versions], /as missing/, [1, 2]);
  });
});

describe("linearizability per ref", () => {
  it("rejects a stale read by somebody who has promised nothing, without asking the log", () => {
    const history = [push(1, 0, { [X]: "a" }), push(2, 2, { [X]: "b" }), read(3, 4, { [X]: "a" }, { client: "bob" })];
    expectViolation(linearizability, history, /operation 3 read a where the ref was b/, [3]);
  });

  it("rejects an update lost under another one", () => {
    const updates = [
      push(1, 0, { [X]: "a" }),
      push(2, 2, { [X]: "b" }),
      push(3, 2, { [X]: "c" }, "ok", { client: "bob" }),
    ];
    const onA = updates.map((each) => ({
      ...each,
      changes: each.changes!.map((change) => ({ ...change, old: each.id === 1 ? null : "a" })),
    }));
    expectViolation(linearizability, onA, /changed it from a to/, []);
  });

  it("rejects a refusal for a value that the ref held", () => {
    const refusal: Operation = {
      ...push(2, 2, { [X]: "b" }, "failed"),
      changes: [{ ref: X, old: "a", new: "b", result: "failed", mismatch: true }],
    };
    expectViolation(linearizability, [push(1, 0, { [X]: "a" }), refusal], /was told that it was not a/, [2]);
  });

  it("lets an unknown push take effect late, or never, and not before it began", () => {
    const late = [push(1, 0, { [X]: "a" }), push(2, 2, { [X]: "b" }, "unknown"), read(3, 4, { [X]: "a" })];
    expect(linearizability(late).violations).toEqual([]);
    expect(linearizability([...late, read(4, 9, { [X]: "b" })]).violations).toEqual([]);
    expectViolation(linearizability, [...late, read(4, 6, { [X]: "b" }), read(5, 8, { [X]: "a" })], /read a/, [5]);
    expectViolation(linearizability, [...late, read(6, 0.5, { [X]: "b" }, { client: "bob" })], /./, []);
  });

  it("judges each repository by itself", () => {
    const other = { ...read(2, 2, {}), repository: "team/two" };
    expect(linearizability([push(1, 0, { [X]: "a" }), other]).violations).toEqual([]);
  });
});

describe("atomicity of atomic pushes", () => {
  const atomic = { operation: "atomic" as const };

  it("rejects a pusher that was told of one ref only", () => {
    const halves = push(1, 0, { [X]: "a", [Y]: "b" }, "ok", atomic);
    const told = { ...halves, changes: [halves.changes![0]!, { ...halves.changes![1]!, result: "failed" as const }] };
    expectViolation(atomicity, [told], /told that some/, [1]);
  });

  it("rejects a log with half of it, and one with the halves in two versions", () => {
    const whole = push(1, 0, { [X]: "a", [Y]: "b" }, "unknown", atomic);
    expect(atomicity([whole]).violations).toEqual([]);
    expectViolation(atomicity, [whole, ...log({ [X]: "a" })], /several versions: 1, none/, [1]);
    expectViolation(atomicity, [whole, ...log({ [X]: "a" }, { [Y]: "b" })], /several versions: 1, 2/, [1]);
  });

  it("rejects a reader who sees one ref old after another one was seen new", () => {
    const history = [
      push(1, 0, { [X]: "a", [Y]: "b" }, "unknown", atomic),
      read(2, 2, { [X]: "a" }, { client: "bob" }),
      read(3, 4, { [X]: "a" }, { client: "carol" }),
    ];
    // The first reader may have looked while the refs were being written.
    expect(atomicity(history.slice(0, 2)).violations).toEqual([]);
    expectViolation(atomicity, history, /taken as a whole.*operation 3 read that it is missing/, [3]);
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
  const answer = (code: string): HistoryRecord => ({
    ...{ record: "elsewhere", repository: REPOSITORY, device: "repo001", at: 40, code },
  });
  expect(elsewhere([answer("REPLICA_NOT_FOUND"), answer("DATABASE_UNAVAILABLE")])).toMatchObject({
    looked: 2,
    violations: [],
  });
  for (const code of ["served", "INTERNAL", "REPOSITORY_NOT_FOUND"])
    expect(elsewhere([answer(code)]).violations).toHaveLength(1);
});
