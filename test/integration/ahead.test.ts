import { access, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { holdAtCrashPoints } from "../../src/crash-points.ts";
import { recordVersion } from "../../src/store/replica/record-replica.ts";
import { compareNotes } from "../../src/sync/catch-up/compare-notes.ts";
import { Follower } from "../../src/sync/catch-up/follower.ts";
import { loseWrites } from "../support/lose-writes.ts";
import { beginSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";
const AHEAD = { code: "AHEAD_OF_DATABASE" };

async function history(device: TestDevice): Promise<[string, string, string, string]> {
  const one = await device.commit(APP, "one");
  const two = await device.commit(APP, "two", { parents: [one] });
  return [one, two, await device.commit(APP, "three", { parents: [two] }), await device.commit(APP, "other")];
}

/** a is at version 2, b at version 1, and the database knows only version 1. */
async function aheadByOne(cluster: TestCluster) {
  const [a, b] = await cluster.pair(APP);
  const commits = await history(a);
  await a.push(APP, [change("main", null, commits[0])]);
  await b.read(APP);
  await a.push(APP, [change("main", commits[0], commits[1])]);
  await vi.waitFor(async () => expect(await rowOf(cluster, a)).toMatchObject({ version: "2" }), SOON);
  await loseWrites(cluster, APP, 1n);
  return { a, b, commits };
}

/** The same, and b has landed another version 2 since. */
async function divergedByOne(cluster: TestCluster) {
  const found = await aheadByOne(cluster);
  const other = await found.b.commit(APP, "other");
  expect(await found.b.push(APP, [change("topic", null, other)])).toEqual({ "refs/heads/topic": null });
  return { ...found, other };
}

const rowOf = async (cluster: TestCluster, device: TestDevice) =>
  (await cluster.sql("select version, state, last_error from lockstep.replica where device = $1", [device.name]))[0];
const stopOf = async (cluster: TestCluster) =>
  (await cluster.sql<{ stopped: string | null }>("select stopped from lockstep.repository"))[0]?.stopped;

describe("a database that has lost writes", () => {
  it("is found out by the first read: then nobody reads or writes the repository, and all are told why", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, commits } = await aheadByOne(cluster);
    await expect(a.read(APP)).rejects.toMatchObject({ ...AHEAD, details: { version: "2", head: "1" } });
    const why = "the database lost writes: device repo001 holds version 2, and the database knows only 1";
    expect(await stopOf(cluster)).toBe(why);
    expect(await rowOf(cluster, a)).toEqual({ version: "2", state: "broken", last_error: why });
    await expect(b.read(APP)).rejects.toMatchObject({ ...AHEAD, message: expect.stringContaining(why) });
    const stopped = { code: "WRITES_STOPPED", message: expect.stringContaining(why) };
    for (const device of [a, b])
      await expect(device.push(APP, [change("topic", null, commits[0])])).rejects.toMatchObject(stopped);
    await expect(beginSession(b, APP)).rejects.toMatchObject(stopped);
    expect(await a.refs(APP)).toMatchObject({ "refs/heads/main": commits[1] });
    expect(await cluster.sql("select author, action, repository, device from lockstep.audit")).toEqual([
      { author: "device repo001", action: "stop", repository: APP, device: "repo001" },
    ]);
  });

  it("is found out by the first push", async () => {
    await using cluster = await TestCluster.make();
    const { a, commits } = await aheadByOne(cluster);
    await expect(a.push(APP, [change("main", commits[1], commits[2])])).rejects.toMatchObject(AHEAD);
    expect(await stopOf(cluster)).toContain("holds version 2");
  });

  it.each(["running", "restarted"])(
    "is found out by a device that is %s, though nobody touches the repository",
    async (how) => {
      await using cluster = await TestCluster.make();
      const { a } = await aheadByOne(cluster);
      const device = how === "running" ? a : await a.restart();
      const follower = new Follower(device.context);
      await (how === "running" ? follower.onReconnect() : follower.onStart([]));
      await vi.waitFor(async () => expect(await stopOf(cluster)).toContain("repo001 holds version 2"), SOON);
    },
  );

  it("shows after the number was used again: another digest at the same version", async () => {
    await using cluster = await TestCluster.make();
    const { a, commits } = await divergedByOne(cluster);
    const refs = await a.refs(APP);
    await expect(a.read(APP)).rejects.toMatchObject({ ...AHEAD, details: { version: "2", head: "2" } });
    expect(await stopOf(cluster)).toContain("knows another version of that number");
    expect(await a.refs(APP)).toEqual(refs);
    await expect(a.push(APP, [change("x", null, commits[0])])).rejects.toMatchObject({ code: "WRITES_STOPPED" });
  });

  it("shows to a push that touches none of the refs that differ", async () => {
    await using cluster = await TestCluster.make();
    const { a, commits } = await divergedByOne(cluster);
    await expect(a.push(APP, [change("x", null, commits[0])])).rejects.toMatchObject(AHEAD);
    expect(await stopOf(cluster)).toContain("repo001");
    await vi.waitFor(async () => expect(await a.staged()).toEqual([]), SOON);
    expect(await cluster.sql("select head_version from lockstep.repository")).toEqual([{ head_version: "2" }]);
  });

  it.each(["at once", "after a restart", "after a boot"])("shows when others have gone on since, %s", async (when) => {
    await using cluster = await TestCluster.make();
    const { a, b, commits } = await divergedByOne(cluster);
    await b.push(APP, [change("topic2", null, commits[0])]);
    if (when === "after a boot") await cluster.sql("update lockstep.device set fence = nextval('lockstep.fence_seq')");
    const device = when === "at once" ? a : await a.restart();
    const refs = await device.refs(APP);
    await expect(device.read(APP)).rejects.toMatchObject({ ...AHEAD, details: { version: "2", head: "3" } });
    expect(await device.refs(APP)).toEqual(refs);
    expect(await stopOf(cluster)).toContain("repo001 holds version 2");
  });

  it("is found out even where the replica was in doubt when it happened", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one, two] = await history(a);
    await a.push(APP, [change("main", null, one)]);
    await b.read(APP);
    await a.push(APP, [change("main", one, two)]);
    // A ref that is not what the log says puts it in doubt, and it stays there.
    await a.git(APP, ["update-ref", "-d", "refs/heads/main"]);
    a.onStatement = async (text, run) =>
      text.includes("lockstep.standing") ? Promise.reject(new Error("away")) : run();
    await expect(a.push(APP, [change("main", two, one)])).rejects.toThrow();
    await vi.waitFor(() => expect(a.replica(APP).applied).toBeUndefined(), SOON);
    await loseWrites(cluster, APP, 1n);
    const again = await a.restart();
    await expect(again.read(APP)).rejects.toMatchObject(AHEAD);
  });

  it("serves no refs of a lost write whose sidecar was killed between the first ref and the note", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two] = await history(a);
    await a.push(APP, [change("main", null, one)]);
    const hold = join(cluster.dir, "push.committed");
    await writeFile(hold, "");
    holdAtCrashPoints(cluster.dir);
    let killed: Promise<unknown> | undefined;
    try {
      killed = a.push(APP, [change("main", one, two)]).catch(() => {});
      await vi.waitFor(() => access(`${hold}.reached`), SOON);
      expect(await a.refs(APP)).toMatchObject({ "refs/heads/main": two });
      await a.crash();
      await loseWrites(cluster, APP, 1n);
      const again = await a.restart();
      expect(await again.read(APP)).toMatchObject({ version: 1n });
      expect(await again.refs(APP)).toMatchObject({ "refs/heads/main": one });
    } finally {
      // What a real kill would have ended.
      await rm(hold);
      await killed;
      holdAtCrashPoints(undefined);
    }
  });

  it("never gets the record of a version that it does not know", async () => {
    await using cluster = await TestCluster.make();
    const { a } = await aheadByOne(cluster);
    await cluster.sql("update lockstep.replica set version = 0");
    await recordVersion(a.context.db, a.context.me, a.replica(APP).id, 2n, null, a.replica(APP).appliedDigest);
    expect(await rowOf(cluster, a)).toMatchObject({ version: "0" });
    await recordVersion(a.context.db, a.context.me, a.replica(APP).id, 1n, null, "00".repeat(32));
    expect(await rowOf(cluster, a)).toMatchObject({ version: "0" });
  });

  it("is no suspicion against devices that only race: reads, pushes and looks at the notes at the same time", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one] = await history(a);
    await a.push(APP, [change("main", null, one)]);
    await b.read(APP);
    const pushes = Array.from({ length: 24 }, (_, index) =>
      (index % 2 ? a : b).push(APP, [change(`n${index}`, null, one)]),
    );
    let running = true;
    const look = async (device: TestDevice) => {
      while (running) {
        await device.read(APP);
        await compareNotes(device.context);
        await sleep(1);
      }
    };
    const looking = [look(a), look(b), look(a), look(b)];
    await Promise.all(pushes).finally(() => {
      running = false;
    });
    await Promise.all(looking);
    expect(await stopOf(cluster)).toBeNull();
    expect(await a.read(APP)).toMatchObject({ version: 25n });
  });
});
