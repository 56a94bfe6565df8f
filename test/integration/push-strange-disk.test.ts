// A push to a replica whose disk is not what the log says.
import { rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { landWrite, stageWrite } from "../../src/store/write/writes.ts";
import { ref } from "../support/refs.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change } from "../support/sync-device.ts";
import { log } from "../support/write-rows.ts";

const APP = "team/app";

/** A device with a history, whose oldest commit it has pushed to `main`. */
async function pushedOnce(cluster: TestCluster) {
  const [a] = await cluster.pair(APP);
  const ids = await a.history(APP);
  await a.push(APP, [change("main", null, ids[0])]);
  return { a, ids };
}

describe("a disk that is not what the log says", () => {
  it.each(["moved", "deleted", "made"])(
    "is compared and put right when a push meets a ref that was %s by hand",
    async (how) => {
      await using cluster = await TestCluster.make();
      const [a] = await cluster.pair(APP);
      const [one, two, three] = await a.history(APP);
      await a.push(APP, [change("main", null, one), change("topic", null, one)]);
      if (how === "moved") await a.git(APP, ["update-ref", "refs/heads/main", three]);
      if (how === "deleted") await a.git(APP, ["update-ref", "-d", "refs/heads/main"]);
      if (how === "made") await a.git(APP, ["update-ref", "refs/heads/new", three]);
      await a.git(APP, ["update-ref", "refs/heads/topic", three]);
      expect(await a.push(APP, [change("main", one, two), change("new", null, two)])).toEqual({
        "refs/heads/main": null,
        "refs/heads/new": null,
      });
      expect(await a.refs(APP)).toMatchObject({ "refs/heads/main": two, "refs/heads/topic": one });
      expect(JSON.stringify(a.logged)).toContain("somebody else changed the files of a replica");
      await a.expectInLockstep(APP);
    },
  );

  it("is compared and put right when a push meets a ref that was moved in a directory that is not watched", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two, three] = await a.history(APP);
    await a.push(APP, [change("deep/main", null, one)]);
    await a.git(APP, ["update-ref", "refs/heads/deep/main", three]);
    expect(await a.push(APP, [change("deep/main", one, two)])).toEqual({ "refs/heads/deep/main": null });
    expect(JSON.stringify(a.logged)).toContain("a ref on disk is not what the log says");
    await a.expectInLockstep(APP);
  });

  it("does not let a push through that was made on what somebody wrote by hand", async () => {
    await using cluster = await TestCluster.make();
    const {
      a,
      ids: [, two, three],
    } = await pushedOnce(cluster);
    await a.git(APP, ["update-ref", "refs/heads/main", two]);
    expect(await a.push(APP, [change("main", two, three)])).toEqual({ "refs/heads/main": "fetch first" });
    expect(await log(cluster)).toHaveLength(1);
  });

  it("is not believed by the database either, which compares old values with its own refs", async () => {
    await using cluster = await TestCluster.make();
    const {
      a,
      ids: [, two],
    } = await pushedOnce(cluster);
    const { context } = a;
    const row = { writeId: crypto.randomUUID(), repositoryId: a.replica(APP).id, base: 1n };
    await stageWrite(context.db, context.me, { ...row, author: "mallory", names: [ref("refs/heads/main")] });
    const lie = change("main", two, null);
    const difference = Buffer.alloc(32);
    expect(await landWrite(context.db, context.me, { ...row, difference, updates: [lie] })).toEqual({
      outcome: "in_doubt",
    });
    expect(await log(cluster)).toHaveLength(1);
  });

  it("keeps a ref locked by somebody's git from that push only", async () => {
    await using cluster = await TestCluster.make();
    const {
      a,
      ids: [one, two],
    } = await pushedOnce(cluster);
    const lock = join(a.gitDir(APP), "refs/heads/main.lock");
    await writeFile(lock, "");
    const report = await a.push(APP, [change("main", one, two), change("free", null, one)]);
    expect(report["refs/heads/main"]).toMatch(/^locked by another git process/);
    expect(report["refs/heads/free"]).toBeNull();
    await rm(lock);
    expect(await a.push(APP, [change("main", one, two)])).toEqual({ "refs/heads/main": null });
    await a.expectInLockstep(APP);
  });

  it("removes a lock that nobody has held for minutes, and lands", async () => {
    await using cluster = await TestCluster.make();
    const {
      a,
      ids: [one, two],
    } = await pushedOnce(cluster);
    const lock = join(a.gitDir(APP), "refs/heads/main.lock");
    await writeFile(lock, "");
    const longAgo = new Date(Date.now() - 5 * 60_000);
    await utimes(lock, longAgo, longAgo);
    expect(await a.push(APP, [change("main", one, two)])).toEqual({ "refs/heads/main": null });
    await a.expectInLockstep(APP);
  });
});
