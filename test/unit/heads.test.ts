import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Head, Heads } from "../../src/store/repository/read-heads.ts";
import { HeadReader } from "../../src/sync/lease/head-reader.ts";

/** A query that the test answers. */
interface Query {
  readonly names: readonly string[];
  readonly resolve: (heads: Heads) => void;
  readonly reject: (error: unknown) => void;
}

function scripted(): { reader: HeadReader; queries: Query[] } {
  const queries: Query[] = [];
  const reader = new HeadReader(
    (names) => new Promise<Heads>((resolve, reject) => queries.push({ names, resolve, reject })),
  );
  return { reader, queries };
}

function heads(version: bigint, ...names: string[]): Heads {
  const head = (name: string): Head => ({
    id: name,
    version,
    digest: "",
    stopped: null,
    writesStopped: null,
    objectFormat: "sha1",
    replicaState: "active",
  });
  return { fence: 7n, timeline: "00000001", noWrites: null, byName: new Map(names.map((name) => [name, head(name)])) };
}

/** Lets everything that is ready run, also what the reader asks after this turn. */
async function settled(): Promise<void> {
  await nextTurn();
  await nextTurn();
}

describe("a HeadReader", () => {
  it("asks after the turn of the event loop when nothing is under way", async () => {
    const { reader, queries } = scripted();
    const answer = reader.ask("a");
    expect(queries).toEqual([]);
    await nextTurn();
    expect(queries.map(({ names }) => names)).toEqual([["a"]]);
    queries[0]!.resolve(heads(3n, "a"));
    expect(await answer).toMatchObject({ fence: 7n, head: { id: "a", version: 3n } });
  });

  it("gives the calls of one turn the same query", async () => {
    const { reader, queries } = scripted();
    const answers = [reader.ask("a"), reader.ask("b"), reader.ask("a")];
    await settled();
    expect(queries.map(({ names }) => names)).toEqual([["a", "b"]]);
    queries[0]!.resolve(heads(4n, "a", "b"));
    expect((await Promise.all(answers)).map(({ head }) => head?.id)).toEqual(["a", "b", "a"]);
    expect(reader.queries).toBe(1);
  });

  it("gives a call during a query the next query, never the one under way", async () => {
    const { reader, queries } = scripted();
    const first = reader.ask("a");
    await settled();
    const second = reader.ask("a");
    await settled();
    expect(queries).toHaveLength(1);
    queries[0]!.resolve(heads(1n, "a"));
    expect((await first).head?.version).toBe(1n);
    await settled();
    expect(queries).toHaveLength(2);
    queries[1]!.resolve(heads(2n, "a"));
    expect((await second).head?.version).toBe(2n);
  });

  it("gives a call that comes while the answer is handed out the next query too", async () => {
    const { reader, queries } = scripted();
    const second = reader.ask("a").then(() => reader.ask("a"));
    await settled();
    queries[0]!.resolve(heads(1n, "a"));
    await settled();
    expect(queries).toHaveLength(2);
    queries[1]!.resolve(heads(2n, "a"));
    expect((await second).head?.version).toBe(2n);
  });

  it("has one query under way and one for all waiting callers, with each name once", async () => {
    const { reader, queries } = scripted();
    const first = reader.ask("a");
    await settled();
    const waiting = Array.from({ length: 1000 }, (_, index) => reader.ask(`r${index % 10}`));
    await settled();
    expect(queries).toHaveLength(1);
    queries[0]!.resolve(heads(1n, "a"));
    await first;
    await settled();
    expect(queries).toHaveLength(2);
    const names = Array.from({ length: 10 }, (_, index) => `r${index}`);
    expect(queries[1]!.names).toEqual(names);
    queries[1]!.resolve(heads(2n, ...names));
    const answers = await Promise.all(waiting);
    expect(answers.map(({ head }) => head?.id)).toEqual(answers.map((_, index) => `r${index % 10}`));
    expect(reader.queries).toBe(2);
  });

  it("answers with no head for a name that is unknown", async () => {
    const { reader, queries } = scripted();
    const answer = reader.ask("nobody");
    await settled();
    queries[0]!.resolve(heads(1n));
    expect(await answer).toEqual({ fence: 7n, head: undefined, noWrites: null });
  });

  it("fails exactly the calls that share a failed query", async () => {
    const { reader, queries } = scripted();
    const before = reader.ask("a");
    await settled();
    const sharing = [reader.ask("b"), reader.ask("c")];
    queries[0]!.resolve(heads(1n, "a"));
    await expect(before).resolves.toMatchObject({ fence: 7n });
    await settled();
    const after = reader.ask("d");
    queries[1]!.reject(new Error("no database"));
    for (const answer of await Promise.allSettled(sharing))
      expect(answer).toMatchObject({ status: "rejected", reason: { message: "no database" } });
    await settled();
    queries[2]!.resolve(heads(2n, "d"));
    expect((await after).head?.version).toBe(2n);
    const later = reader.ask("e");
    await settled();
    queries[3]!.resolve(heads(3n, "e"));
    expect((await later).head?.version).toBe(3n);
  });

  it("turns calls away when ten thousand wait, and takes calls again afterwards", async () => {
    const { reader, queries } = scripted();
    const first = reader.ask("a");
    await settled();
    const waiting = Array.from({ length: 10_000 }, () => reader.ask("a"));
    await expect(reader.ask("a")).rejects.toMatchObject({ code: "QUEUE_FULL" });
    queries[0]!.resolve(heads(1n, "a"));
    await first;
    await settled();
    const next = reader.ask("a");
    queries[1]!.resolve(heads(2n, "a"));
    expect(await Promise.all(waiting)).toHaveLength(10_000);
    await settled();
    queries[2]!.resolve(heads(3n, "a"));
    expect((await next).head?.version).toBe(3n);
  });
});
