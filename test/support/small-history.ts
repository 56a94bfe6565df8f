// Histories of a few operations, for tests of the checks (../torture/checks/).
import { expect } from "vitest";
import type { Check } from "../torture/checks/verdict.ts";
import type { Change, History, HistoryRecord, LogVersion, Operation, Result, Value } from "../torture/history.ts";

export const REPOSITORY = "team/one";

export const X = "refs/heads/x";

export const Y = "refs/heads/y";

type Told = Partial<Pick<Operation, "client" | "device" | "operation">>;

/** A history as one writes it down: each operation takes one unit of time, beginning at `at`. */
export function push(
  id: number,
  at: number,
  refs: Record<string, Value>,
  result: Result = "ok",
  told: Told = {},
): Operation {
  const changes = Object.entries(refs).map(([ref, value]): Change => ({ ref, new: value, result }));
  return { ...common(id, at, told), operation: told.operation ?? "force", result, changes };
}

export function read(id: number, at: number, refs: Record<string, string>, told: Told = {}): Operation {
  return { ...common(id, at, told), operation: "ls-remote", result: "ok", scope: "refs/", refs };
}

function common(id: number, at: number, { client = "ada", device = "repo001" }: Told) {
  return { record: "operation" as const, id, client, device, repository: REPOSITORY, invoked: at, returned: at + 1 };
}

export function log(...versions: Record<string, Value>[]): LogVersion[] {
  const held = new Map<string, Value>();
  return versions.map((refs, index) => {
    const changes = Object.entries(refs).map(([ref, value]) => ({ ref, old: held.get(ref) ?? null, new: value }));
    for (const [ref, value] of Object.entries(refs)) held.set(ref, value);
    return { record: "log", repository: REPOSITORY, version: index + 1, changes };
  });
}

export function disk(place: string, refs: Record<string, string>): HistoryRecord {
  return { record: "refs", repository: REPOSITORY, place, refs };
}

export function watched(mayRepeat: boolean, ...versions: number[]): HistoryRecord {
  const told = versions.map((version) => ({ repository: REPOSITORY, version }));
  return { record: "watched", by: "somebody", mayRepeat, versions: told };
}

export const healed: HistoryRecord = { record: "healed", at: 50, devices: ["repo001"], bound: 10 };

/** What a sound run leaves. */
export const sound: History = [
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

export function expectViolation(check: Check, history: History, what: RegExp, operations: number[]): void {
  const { violations } = check(history);
  expect(violations.length).toBeGreaterThan(0);
  expect(violations[0]!.what).toMatch(what);
  expect(violations[0]!.operations).toEqual(expect.arrayContaining(operations));
}
