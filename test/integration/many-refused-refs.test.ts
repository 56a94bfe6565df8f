// Many refs that git refuses at once: the number of gits is bounded, and the other refs land.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import type { RefUpdate } from "../../src/domain.ts";
import { RefTransaction } from "../../src/git/transactions/ref-transaction.ts";
import { APP, branch, branchesOf, withBranches } from "../support/branches-in-the-way.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change } from "../support/sync-device.ts";
import { writes } from "../support/write-rows.ts";

vi.mock("../../src/git/transactions/ref-transaction.ts", { spy: true });

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

  it("refs that git refuses for a reason that only git sees are found by halves, with a bounded number of gits", async () => {
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

  it("bad refs beyond the bound are refused with those that cannot be told apart, and nothing is undecided", async () => {
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
