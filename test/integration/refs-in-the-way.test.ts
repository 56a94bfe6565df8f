// Refs whose names are above or below each other, of which git holds only one. What git does with the same push is
// compared in test/e2e/as-git-does.test.ts.
import { describe, expect, it } from "vitest";
import type { RefUpdate } from "../../src/domain.ts";
import { refsInTheWay } from "../../src/store/write/refs-in-the-way.ts";
import { APP, branch, branchesOf, CONFLICTS, withBranches } from "../support/branches-in-the-way.ts";
import { ref } from "../support/refs.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change } from "../support/sync-device.ts";
import { log } from "../support/write-rows.ts";

describe("a push that is not atomic", () => {
  it.each<[string, string[], [string, "make" | "delete"][], string[]]>([
    [
      "a branch moves into a directory of its name",
      ["x"],
      [
        ["x", "delete"],
        ["x/y", "make"],
      ],
      ["x/y"],
    ],
    [
      "a branch takes the place of its directory",
      ["x/y", "x/z"],
      [
        ["x/y", "delete"],
        ["x/z", "delete"],
        ["x", "make"],
      ],
      ["x"],
    ],
    [
      "what is made stands before what makes room",
      ["x"],
      [
        ["x/y", "make"],
        ["x", "delete"],
      ],
      ["x/y"],
    ],
    [
      "several take the place of one",
      ["x"],
      [
        ["x", "delete"],
        ["x/y/z", "make"],
        ["x/w", "make"],
      ],
      ["x/w", "x/y/z"],
    ],
  ])("lands as one version where %s", async (_, before, steps, after) => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await withBranches(cluster, before);
    const [one, two] = history;
    const updates = steps.map(([name, what]) => (what === "make" ? change(name, null, two) : change(name, one, null)));
    const report = await a.push(APP, [change("main", one, two), ...updates]);
    expect(Object.values(report).filter((reason) => reason !== null)).toEqual([]);
    expect((await log(cluster)).map(({ version }) => version)).toEqual(["1", "2", "3"]);
    expect(await branchesOf(a)).toEqual(after.map(branch));
    await a.expectInLockstep(APP);
    await b.read(APP);
    await b.expectInLockstep(APP);
  });

  it("keeps a new ref out while something is left in its way, and lands the rest", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await withBranches(cluster, ["x/y", "x/z", "stale"]);
    const [one, two] = history;
    const report = await a.push(APP, [
      change("x/y", one, null),
      change("x", null, two),
      change("stale", two, null),
      change("stale/below", null, two),
      change("ok", null, two),
    ]);
    expect(report).toEqual({
      [branch("x/y")]: null,
      [branch("x")]: CONFLICTS,
      [branch("stale")]: "fetch first",
      [branch("stale/below")]: CONFLICTS,
      [branch("ok")]: null,
    });
    expect(await branchesOf(a)).toEqual([branch("ok"), branch("stale"), branch("x/z")]);
    await a.expectInLockstep(APP);
    await b.read(APP);
    await b.expectInLockstep(APP);
  });

  it("keeps the first of new refs that are in each other's way", async () => {
    await using cluster = await TestCluster.make();
    const { a, history } = await withBranches(cluster, []);
    const [one] = history;
    const names = ["a", "a/b", "c/d/e", "c", "c/d/f"];
    const report = await a.push(
      APP,
      names.map((name) => change(name, null, one)),
    );
    expect(Object.values(report)).toEqual([null, CONFLICTS, null, CONFLICTS, null]);
    expect(await branchesOf(a)).toEqual(["a", "c/d/e", "c/d/f"].map(branch));
    await a.expectInLockstep(APP);
  });

  it("gives the place of a bad ref to the next one", async () => {
    await using cluster = await TestCluster.make();
    const { a, history } = await withBranches(cluster, []);
    const blob = await a.git(APP, ["hash-object", "-w", "--stdin"], "no commit");
    const report = await a.push(APP, [change("a", null, blob), change("a/b", null, history[0])]);
    expect(report).toEqual({ [branch("a")]: "not a commit", [branch("a/b")]: null });
    await a.expectInLockstep(APP);
  });

  it("lands where other devices landed refs in its way meanwhile, as far as there is room", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await withBranches(cluster, ["x"]);
    const [one, two] = history;
    await b.read(APP);
    const other = await b.commit(APP, "other");
    await b.push(APP, [change("x/y", null, other), change("x", one, null)]);
    const report = await a.push(APP, [change("x", one, null), change("x/y/z", null, two), change("q", null, two)]);
    expect(report).toEqual({ [branch("x")]: "fetch first", [branch("x/y/z")]: CONFLICTS, [branch("q")]: null });
    await a.expectInLockstep(APP);
  });
});

describe("an atomic push", () => {
  it.each<[string, (one: string) => RefUpdate[]]>([
    ["deletes a ref to make one below it", (one) => [change("x", one, null), change("x/y", null, one)]],
    ["makes two in each other's way", (one) => [change("a", null, one), change("a/b", null, one)]],
  ])("an atomic push that %s is refused whole, as git cannot do it in one transaction", async (_, updates) => {
    await using cluster = await TestCluster.make();
    const { a, history } = await withBranches(cluster, ["x"]);
    const [one, two] = history;
    const report = await a.push(APP, [change("main", one, two), ...updates(one)], { atomic: true });
    expect(Object.values(report)).not.toContain(null);
    expect(Object.values(report)).toContain(CONFLICTS);
    expect(await branchesOf(a)).toEqual([branch("x")]);
    expect((await log(cluster)).length).toBe(2);
    await a.expectInLockstep(APP);
  });
});

describe("the refs in the way of new ones", () => {
  it("are looked up one by one, however many the repository has", async () => {
    await using cluster = await TestCluster.make();
    const { a } = await withBranches(cluster, ["x/a", "x/b", "x/c", "x-y", "x0", "deep/er"]);
    const { id } = a.replica(APP);
    const found = await refsInTheWay(a.context.db, id, {
      above: ["refs", "refs/heads", "refs/heads/deep/er"].map(ref),
      below: [
        { name: branch("x"), most: 2 },
        { name: branch("x-y"), most: 5 },
        { name: branch("absent"), most: 1 },
      ],
    });
    expect(found).toEqual(["refs/heads/deep/er", "refs/heads/x/a", "refs/heads/x/b"]);
    expect(await refsInTheWay(a.context.db, id, { above: [], below: [] })).toEqual([]);
  });
});

describe("a replica that was away while refs gave way to each other", () => {
  it("gets there over any number of versions", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await withBranches(cluster, ["x"]);
    const [one, two] = history;
    await b.read(APP);
    const steps: [string, string | null, string | null][][] = [
      [
        ["x", one, null],
        ["x/y", null, one],
      ],
      [
        ["x/y", one, null],
        ["x", null, two],
      ],
      [
        ["x", two, null],
        ["x/y/z", null, two],
        ["main", one, two],
      ],
    ];
    for (const step of steps)
      await a.push(
        APP,
        step.map((each) => change(...each)),
      );
    await b.read(APP);
    expect(await b.refs(APP)).toEqual(await a.refs(APP));
    await b.expectInLockstep(APP);
  });
});
