// Reads that ask for a commit, and reads that may be stale.
import { describe, expect, it } from "vitest";
import { readWithCommit, readWithStaleness } from "../../src/sync/read/commit-or-stale.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";

describe("a read for a commit", () => {
  const reading = (device: TestDevice, commit: string, ms = SOON.timeout) =>
    readWithCommit(device.context, APP, commit, { signal: AbortSignal.timeout(ms) });

  it("returns once a ref of this replica contains the commit", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    const two = await a.commit(APP, "two", { parents: [one] });
    const waiting = reading(b, one);
    await a.push(APP, [change("topic", null, two)]);
    expect(await waiting).toMatchObject({ version: 1n, fetched: true });
    expect(await reading(b, two)).toMatchObject({ version: 1n, fetched: false });
    await a.push(APP, [change("topic", two, one)]);
    await b.read(APP);
    await expect(reading(b, two, 500)).rejects.toMatchObject({ code: "COMMIT_NOT_FOUND", details: { version: "2" } });
  });

  it("does not return for an object of an undecided push", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    expect(await a.has(APP, one)).toBe(true);
    await expect(reading(a, one, 500)).rejects.toMatchObject({ code: "COMMIT_NOT_FOUND", details: { commit: one } });
  });

  /** An annotated tag in the objects of a replica, as an upload leaves it there. */
  const tagOf = (device: TestDevice, id: string, name: string, type = "commit") =>
    device.git(
      APP,
      ["mktag"],
      `object ${id}\ntype ${type}\ntag ${name}\ntagger Ada <a@example.com> 1 +0000\n\n${name}\n`,
    );

  it("takes an annotated tag too, once a ref has it or a tag that it is in", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    const inner = await tagOf(a, one, "inner");
    const outer = await tagOf(a, inner, "outer", "tag");
    await a.push(APP, [change("main", null, one)]);
    for (const tag of [inner, outer])
      await expect(reading(a, tag, 500)).rejects.toMatchObject({ code: "COMMIT_NOT_FOUND", details: { commit: tag } });
    const waiting = reading(b, inner);
    await a.push(APP, [change("refs/tags/outer", null, outer)]);
    for (const tag of [inner, outer]) expect(await reading(a, tag)).toMatchObject({ version: 2n });
    expect(await waiting).toMatchObject({ version: 2n, fetched: true });
    await a.push(APP, [change("refs/tags/outer", outer, null)]);
    for (const tag of [inner, outer])
      await expect(reading(a, tag, 500)).rejects.toMatchObject({ code: "COMMIT_NOT_FOUND", details: { commit: tag } });
  });

  it("does not return for a commit that only refs/lockstep/ reaches", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    const tag = await tagOf(a, one, "v1");
    await a.git(APP, ["update-ref", "refs/lockstep/staged/1/0", tag]);
    await a.read(APP);
    for (const id of [one, tag])
      await expect(reading(a, id, 500)).rejects.toMatchObject({ code: "COMMIT_NOT_FOUND", details: { commit: id } });
  });

  it.each(["blob", "tree"])("does not look for a %s, landed or not", async (type) => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    const id = await a.git(APP, ["rev-parse", type === "tree" ? `${one}^{tree}` : `${one}:file`]);
    const refused = { code: "INVALID_REQUEST", message: expect.stringContaining(`is a ${type}; ask for a commit`) };
    await expect(reading(a, id)).rejects.toMatchObject(refused);
    await a.push(APP, [change("main", null, one)]);
    await expect(reading(a, id)).rejects.toMatchObject(refused);
  });

  it("fails with the same error when its time ends while git still looks", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    await a.beforeGit("exec sleep 5");
    await expect(reading(a, one, 200)).rejects.toMatchObject({ code: "COMMIT_NOT_FOUND" });
  });

  it("takes only a whole object id", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    await a.gitCommands();
    for (const commit of ["", "HEAD", "12345678", "--all", "A".repeat(40)]) {
      await expect(reading(a, commit)).rejects.toMatchObject({ code: "INVALID_REQUEST" });
    }
    expect(await a.gitCommands()).toEqual([]);
  });
});

describe("a read that may be stale", () => {
  const reading = (device: TestDevice, maxStalenessMs: number, minVersion = 0n) =>
    readWithStaleness(device.context, APP, maxStalenessMs, { signal: AbortSignal.timeout(SOON.timeout), minVersion });

  it("is granted without the database, for as long as it may be stale, and says so", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    await b.read(APP);
    await a.push(APP, [change("topic", null, await a.commit(APP, "two"))]);
    {
      await using _ = await cluster.databaseGone();
      expect(await reading(b, 60_000)).toMatchObject({ version: 1n, fetched: false, stale: true });
      await expect(reading(b, 0)).rejects.toMatchObject({ code: "DATABASE_UNAVAILABLE" });
    }
    expect(await reading(b, 0)).toMatchObject({ version: 2n, fetched: true, stale: false });
    expect(await reading(b, 60_000)).toMatchObject({ version: 2n, stale: true });
  });

  it("is never older than the version that was asked for", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    await b.read(APP);
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    expect(await reading(b, 60_000, 1n)).toMatchObject({ version: 1n, stale: false });
  });

  it("a read that may be stale asks where nobody has looked at the replica yet, and where it came into doubt", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const again = await a.restart();
    expect(await reading(again, 60_000)).toMatchObject({ version: 0n, stale: false });
    expect(await reading(again, 60_000)).toMatchObject({ stale: true });
    again.replica(APP).applied = undefined;
    expect(await reading(again, 60_000)).toMatchObject({ stale: false, fetched: true });
  });
});
