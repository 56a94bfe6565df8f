// What a catch-up brings: versions, objects in one pack, the fold, and what it tells meanwhile.
import { describe, expect, it } from "vitest";
import { catchUp } from "../../src/sync/catch-up/catch-up.ts";
import type { CatchUpProgress } from "../../src/sync/device/replica.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";

const APP = "team/app";
/** Bytes that are not UTF-8, as the program has them: a character for each. */
const CAFE = "refs/heads/caf\xe9/latin1";

describe("catching up", () => {
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
