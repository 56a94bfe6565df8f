import { utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { catchUp } from "../../src/sync/catch-up/catch-up.ts";
import type { CatchUpProgress } from "../../src/sync/device/replica.ts";
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

  it("brings one commit in one pack, and says so in the database", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("main", null, one)]);
    expect(await b.read(APP)).toMatchObject({ version: 1n, fetched: true });
    expect(b.packRequests).toEqual([{ from: "repo001", wants: [one], haves: [] }]);
    expect((await b.syncEvents()).at(-1)).toMatchObject({
      from_device: "repo001",
      from_version: "0",
      version: "1",
      refs_changed: 1,
      result: "ok",
    });
    await a.expectInLockstep(APP);
    await b.expectInLockstep(APP);
  });

  it("brings many versions at once, with creates, rewinds, deletes and tags", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("main", null, one), change("doomed", null, one), change("moved", null, one)]);
    await b.read(APP);

    const two = await a.commit(APP, "two", { parents: [one] });
    const other = await a.commit(APP, "other history");
    const blob = await a.git(APP, ["hash-object", "-w", "--stdin"], "only a tag holds me");
    const tag = await a.git(
      APP,
      ["mktag"],
      `object ${two}\ntype commit\ntag v1\ntagger Ada <ada@example.com> 0 +0000\n\nfirst\n`,
    );
    await a.push(APP, [change("main", one, two)]);
    await a.push(APP, [change("moved", one, other)]);
    await a.push(APP, [change("doomed", one, null), change("refs/tags/v1", null, tag)]);
    await a.push(APP, [change("refs/tags/blob", null, blob), change("refs/notes/commits", null, two)]);
    const before = b.packRequests.length;
    expect(await b.read(APP)).toMatchObject({ version: 5n });
    expect(b.packRequests).toHaveLength(before + 1);
    expect(await b.refs(APP)).toEqual({
      HEAD: "ref: refs/heads/main",
      "refs/heads/main": two,
      "refs/heads/moved": other,
      "refs/notes/commits": two,
      "refs/tags/blob": blob,
      "refs/tags/v1": tag,
    });
    await b.expectInLockstep(APP);
  });

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

  it("brings a branch that points to a commit which is here already", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("main", null, one)]);
    await b.read(APP);
    await a.push(APP, [change("copy", null, one)]);
    expect(await b.read(APP)).toMatchObject({ version: 2n });
    await b.expectInLockstep(APP);
  });

  it("brings deletions alone without asking anybody for objects", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("main", null, one), change("gone", null, one)]);
    await b.read(APP);
    const before = b.packRequests.length;
    await a.push(APP, [change("gone", one, null)]);
    expect(await b.read(APP)).toMatchObject({ version: 2n });
    expect(b.packRequests).toHaveLength(before);
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

  it("works on repositories with SHA-256 objects", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = [await cluster.start("repo001"), await cluster.start("repo002")];
    await cluster.create(APP, [a, b], { objectFormat: "sha256" });
    const one = await a.commit(APP, "one");
    expect(one).toHaveLength(64);
    await a.push(APP, [change("main", null, one), change("gone", null, one)]);
    await a.push(APP, [change("gone", one, null)]);
    await b.read(APP);
    await a.expectInLockstep(APP);
    await b.expectInLockstep(APP);
  });

  it("gives a new replica the whole fold in one pack", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    const two = await a.commit(APP, "two", { parents: [one] });
    await a.push(APP, [change("main", null, one), change("gone", null, one)]);
    await a.push(APP, [change("main", one, two), change("gone", one, null), change(CAFE, null, one)]);
    const c = await cluster.start("repo003");
    await cluster.addReplica(APP, c);
    expect(await c.read(APP)).toMatchObject({ version: 2n, fetched: true });
    expect(c.packRequests).toHaveLength(1);
    await c.expectInLockstep(APP);
  });

  it("takes the whole fold when the log no longer reaches back far enough", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("main", null, one), change("gone", null, one)]);
    await b.read(APP);
    const two = await a.commit(APP, "two", { parents: [one] });
    const three = await a.commit(APP, "three", { parents: [two] });
    await a.push(APP, [change("gone", one, null)]);
    await a.push(APP, [change("main", one, two)]);
    await a.push(APP, [change("main", two, three)]);
    await cluster.sql("delete from lockstep.ref_log where version <= 2");
    expect(await b.read(APP)).toMatchObject({ version: 4n });
    expect(b.packRequests.at(-1)).toMatchObject({ wants: [three] });
    await b.expectInLockstep(APP);
  });

  it("does not take over changes that do not add up to the digest of the head", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    await b.read(APP);
    await a.push(APP, [change("main", one, two)]);
    await cluster.sql(
      "update lockstep.ref_log_update set old_value = new_value, new_value = old_value where version = 2",
    );
    // The stored refs have the digest, so the whole fold is taken.
    expect(await b.read(APP)).toMatchObject({ version: 2n });
    await b.expectInLockstep(APP);
  });

  it("tells every waiting caller how far it is", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const one = await a.commit(APP, "one", { content: Buffer.alloc(300_000, "lockstep\n") });
    await a.push(APP, [change("main", null, one)]);
    const seen: CatchUpProgress[] = [];
    await catchUp(b.context, b.replica(APP), 1n, {
      signal: AbortSignal.timeout(SOON.timeout),
      onProgress: (progress) => seen.push(progress),
    });
    expect(seen.at(-1)).toMatchObject({ objects: 3, totalObjects: 3 });
    expect(seen.at(-1)?.bytes).toBeGreaterThan(100);
    expect(seen.map(({ bytes }) => bytes)).toEqual(seen.map(({ bytes }) => bytes).sort((x, y) => x - y));
  });
});
