// Refs whose names are above or below each other, of which git holds only one; and many refs that git refuses at once. What git does
// with the same push is compared in test/e2e/as-git-does.test.ts.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import type { RefName, RefUpdate } from "../../src/domain.ts";
import { RefTransaction } from "../../src/git/transactions/ref-transaction.ts";
import { refsInTheWay } from "../../src/store/write/refs-in-the-way.ts";
import { ref } from "../support/refs.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, type TestDevice } from "../support/sync-device.ts";
import { log, writes } from "../support/write-rows.ts";

vi.mock("../../src/git/transactions/ref-transaction.ts", { spy: true });

const APP = "team/app";
const CONFLICTS = "conflicts with an existing ref";
const branch = (name: string): RefName => ref(`refs/heads/${name}`);

/** Two devices; the first has these branches, all at the first of three commits. */
async function withBranches(cluster: TestCluster, branches: readonly string[]) {
  const [a, b] = await cluster.pair(APP);
  const history = await a.history(APP);
  await a.push(APP, [change("main", null, history[0])]);
  if (branches.length > 0)
    await a.push(
      APP,
      branches.map((name) => change(name, null, history[0])),
    );
  return { a, b, history };
}

async function branchesOf(device: TestDevice): Promise<string[]> {
  return Object.keys(await device.refs(APP)).filter((name) => name !== "HEAD" && name !== "refs/heads/main");
}

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

describe("many refs that git refuses at once", () => {
  it("cost a number of gits that does not grow with theirs", async () => {
    await using cluster = await TestCluster.make();
    const { a, history } = await withBranches(cluster, ["x"]);
    const [one] = history;
    const blob = await a.git(APP, ["hash-object", "-w", "--stdin"], "no commit");
    const cost = async (count: number) => {
      const bad = Array.from({ length: count }, (_, index): RefUpdate[] => [
        change(`x/${count}-${index}`, null, one),
        change(`blob-${count}-${index}`, null, blob),
        change(`new-${count}-${index}`, null, one),
        change(`new-${count}-${index}/below`, null, one),
      ]).flat();
      a.context.replicas.endGits();
      await a.gitCommands();
      const report = Object.values(await a.push(APP, [...bad, change(`good-${count}`, null, one)]));
      expect(report.filter((reason) => reason === null)).toHaveLength(count + 1);
      // Others tidy up in the background. Two of these start at the same time.
      return (await a.gitCommands()).flatMap((command) => /update-ref|cat-file/.exec(command) ?? []).sort();
    };
    const few = await cost(2);
    expect(await cost(40)).toEqual(few);
    // One cat-file tells the types of the objects, and the other stays for further pushes.
    expect(few).toEqual(["cat-file", "cat-file", "update-ref", "update-ref"]);
    await a.expectInLockstep(APP);
  });

  it("for a reason that only git sees are found by halves, with a bounded number of gits", async () => {
    await using cluster = await TestCluster.make();
    const { a, history } = await withBranches(cluster, []);
    const [one] = history;
    await a.push(APP, [change("dir/x", null, one)]);
    await a.push(APP, [change("dir/x", one, null)]);
    const names = Array.from({ length: 100 }, (_, index) => `n${String(index).padStart(2, "0")}`);
    await writeFile(join(a.gitDir(APP), "refs/heads/n07.lock"), "");
    await writeFile(join(a.gitDir(APP), "refs/heads/n70.lock"), "");
    vi.mocked(RefTransaction).mockClear();
    const report = await a.push(
      APP,
      names.map((name) => change(name, null, one)),
    );
    const refused = Object.entries(report).filter(([, reason]) => reason !== null);
    expect(refused.map(([name]) => name)).toEqual([branch("n07"), branch("n70")]);
    expect(vi.mocked(RefTransaction).mock.calls.length).toBeLessThan(40);
    expect(await branchesOf(a)).toHaveLength(98);
  });

  it("beyond the bound are refused with those that could not be told apart, and nothing is undecided", async () => {
    await using cluster = await TestCluster.make();
    const { a, history } = await withBranches(cluster, []);
    const [one] = history;
    const names = Array.from({ length: 200 }, (_, index) => `n${String(index).padStart(3, "0")}`);
    for (const name of names.filter((_, index) => index % 2 === 0))
      await writeFile(join(a.gitDir(APP), `refs/heads/${name}.lock`), "");
    vi.mocked(RefTransaction).mockClear();
    const report = await a.push(
      APP,
      names.map((name) => change(name, null, one)),
    );
    expect(vi.mocked(RefTransaction).mock.calls.length).toBeLessThan(45);
    const landed = Object.entries(report)
      .filter(([, reason]) => reason === null)
      .map(([name]) => name);
    expect(await branchesOf(a)).toEqual(landed);
    expect((await writes(cluster)).at(-1)?.status).toBe(landed.length > 0 ? "landed" : "dropped");
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
