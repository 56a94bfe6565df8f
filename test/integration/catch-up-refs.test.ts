// How a catch-up changes refs: names in each other's way, names that are not UTF-8, locks, and refs made by hand.
import { utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";

const APP = "team/app";
/** Bytes that are not UTF-8, as the program has them: a character for each. */
const CAFE = "refs/heads/caf\xe9/latin1";

describe("catching up", () => {
  it.each(["refs/heads/main", "packed-refs"])(
    "takes away an old lock of %s, and leaves a young one",
    async (locked) => {
      await using cluster = await TestCluster.make();
      const [a, b] = await cluster.pair(APP);
      const one = await a.commit(APP, "one");
      await a.push(APP, [change("main", null, one), change("topic", null, one)]);
      await b.read(APP);
      await b.git(APP, ["pack-refs", "--all"]);
      const path = join(b.gitDir(APP), `${locked}.lock`);
      await writeFile(path, "");
      // Deletions need the lock of packed-refs.
      await a.push(APP, [change("main", one, await a.commit(APP, "two")), change("topic", one, null)]);
      await expect(b.read(APP)).rejects.toMatchObject({ code: "GIT_FAILED" });
      const old = new Date(Date.now() - 10 * 60_000);
      await utimes(path, old, old);
      await a.push(APP, [change("next", null, one)]);
      await vi.waitFor(() => b.read(APP), SOON);
      await b.expectInLockstep(APP);

      await writeFile(path, "");
      await utimes(path, old, old);
      await a.push(APP, [change("main", await a.git(APP, ["rev-parse", "main"]), one), change("next", one, null)]);
      // In one go: the flight before it had left the replica in doubt, and what is in doubt is swept in any case.
      expect(await b.read(APP)).toMatchObject({ version: 4n, fetched: true });
      await b.expectInLockstep(APP);
    },
  );

  it("brings refs back that ended where they began, were made and removed again, or removed and made again", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    const two = await a.commit(APP, "two", { parents: [one] });
    await a.push(APP, [change("main", null, one), change("again", null, one)]);
    await b.read(APP);
    await a.push(APP, [change("main", one, two), change("passing", null, two), change("again", one, null)]);
    await a.push(APP, [change("main", two, one), change("passing", two, null), change("again", null, one)]);
    expect(await b.read(APP)).toMatchObject({ version: 3n });
    expect(await b.refs(APP)).toEqual({
      HEAD: "ref: refs/heads/main",
      "refs/heads/again": one,
      "refs/heads/main": one,
    });
    await b.expectInLockstep(APP);
  });

  it("makes room for a ref below a deleted one, and above", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("x", null, one), change("y/deep/er", null, one), change("y/other", null, one)]);
    await b.read(APP);
    await a.push(APP, [change("x", one, null), change("y/deep/er", one, null), change("y/other", one, null)]);
    await a.push(APP, [change("x/y", null, one), change("y", null, one)]);
    await b.read(APP);
    expect(await b.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main", "refs/heads/x/y": one, "refs/heads/y": one });
    await a.push(APP, [change("x/y", one, null), change("y", one, null)]);
    await a.push(APP, [change("x", null, one), change("y/deep", null, one)]);
    await b.read(APP);
    expect(await b.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main", "refs/heads/x": one, "refs/heads/y/deep": one });
    await a.expectInLockstep(APP);
    await b.expectInLockstep(APP);
  });

  it("brings refs that gave way to one above or below them and came back, or went with it", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("back/again", null, one), change("gone/too", null, one)]);
    await b.read(APP);
    await a.push(APP, [change("back/again", one, null), change("gone/too", one, null)]);
    await a.push(APP, [change("back", null, one), change("gone", null, one), change("new", null, one)]);
    await a.push(APP, [change("back", one, null), change("gone", one, null), change("new", one, null)]);
    await a.push(APP, [change("back/again", null, one), change("new/x", null, one)]);
    await a.push(APP, [change("new/x", one, null)]);
    expect(await b.read(APP)).toMatchObject({ version: 6n });
    expect(await b.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main", "refs/heads/back/again": one });
    await b.expectInLockstep(APP);
  });

  it("clears away a ref that somebody made by hand where another belongs", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("main", null, one)]);
    await b.read(APP);
    await b.git(APP, ["update-ref", "refs/heads/topic/mine", await b.commit(APP, "by hand")]);
    await a.push(APP, [change("topic", null, one)]);
    await vi.waitFor(async () => expect(await b.read(APP)).toMatchObject({ version: 2n }), SOON);
    await b.expectInLockstep(APP);
  });

  it("brings refs whose names are not UTF-8", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    const japanese = Buffer.from("refs/heads/日本").toString("latin1");
    expect(await a.push(APP, [change(CAFE, null, one), change(japanese, null, one)])).toEqual({
      [CAFE]: null,
      [japanese]: null,
    });
    await b.read(APP);
    expect(await b.refs(APP)).toMatchObject({ [CAFE]: one, [japanese]: one });
    const two = await b.commit(APP, "two", { parents: [one] });
    await b.push(APP, [change(CAFE, one, two), change(japanese, one, null)]);
    await a.read(APP);
    await a.expectInLockstep(APP);
    await b.expectInLockstep(APP);
  });

  it("gives an empty repository its HEAD", async () => {
    await using cluster = await TestCluster.make();
    const a = await cluster.start("repo001");
    await cluster.create(APP, [a], { defaultBranch: "trunk" });
    expect(await a.read(APP)).toMatchObject({ version: 0n });
    expect(await a.refs(APP)).toEqual({ HEAD: "ref: refs/heads/trunk" });
    expect(await a.git(APP, ["symbolic-ref", "HEAD"])).toBe("refs/heads/trunk");
    expect(a.packRequests).toEqual([]);
    await a.expectInLockstep(APP);
  });
});
