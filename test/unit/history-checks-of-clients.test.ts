// What the checks of a history say of the reads and pushes of clients.
import { describe, expect, it } from "vitest";
import { expectViolation, log, push, read, X, Y } from "../support/small-history.ts";
import { atomicity } from "../torture/checks/atomicity.ts";
import { linearizability } from "../torture/checks/linearizability.ts";
import { monotonicReads, readYourWrites } from "../torture/checks/sessions.ts";
import type { Operation } from "../torture/history.ts";

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
