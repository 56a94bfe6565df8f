// A repository wants more copies than the other devices take at once.
import { describe, expect, it } from "vitest";
import { LockstepError } from "../../src/errors.ts";
import { APP, copies, three, wants } from "../support/copying.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change } from "../support/sync-device.ts";

describe("a repository that wants several copies", () => {
  it("refuses a write that too few devices take, and says why; nothing is left of it", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, c] = await three(cluster);
    await wants(cluster, 3);
    await c.stop();
    const one = await a.commit(APP, "one");
    await expect(a.push(APP, [change("main", null, one)])).rejects.toMatchObject({
      code: "NOT_ENOUGH_COPIES",
      message: expect.stringContaining("2 of 3 devices"),
    });
    expect(await copies(cluster)).toEqual([]);
    await a.expectInLockstep(APP);
    await wants(cluster, 2);
    expect(await a.push(APP, [change("main", null, one)])).toEqual({ "refs/heads/main": null });
    await b.read(APP);
    await b.expectInLockstep(APP);
  });

  it("asks nobody twice for a write that is refused", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, c] = await three(cluster);
    await wants(cluster, 2);
    await c.stop();
    let asked = 0;
    b.openPack = async () => {
      asked += 1;
      throw new LockstepError("SOURCE_FAILED", "the cable is cut");
    };
    const one = await a.commit(APP, "one");
    for (const times of [1, 2]) {
      const push = a.push(APP, [change("main", null, one)]);
      await expect(push).rejects.toMatchObject({ code: "NOT_ENOUGH_COPIES" });
      expect(asked).toBe(times);
    }
  });

  it("lands on fewer where it may, and tells the pusher", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, c] = await three(cluster);
    await wants(cluster, 3, true);
    await c.stop();
    const said: string[] = [];
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("main", null, one)], { pusher: { say: (text) => said.push(text) } });
    expect(said.join()).toContain("2 of 3 devices");
    expect(await copies(cluster)).toEqual([["repo002"]]);
    await b.read(APP);
    await b.expectInLockstep(APP);
  });

  it("asks another device when one fails, and waits for no more than are needed", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, c] = await three(cluster);
    await wants(cluster, 2);
    b.openPack = async () => {
      throw new LockstepError("SOURCE_FAILED", "the cable is cut");
    };
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("main", null, one)]);
    expect(await copies(cluster)).toEqual([["repo003"]]);
    // One that never answers holds nobody up.
    b.openPack = () => new Promise(() => {});
    const two = await a.commit(APP, "two", { parents: [one] });
    await a.push(APP, [change("main", one, two)]);
    expect(await copies(cluster)).toEqual([["repo003"], ["repo003"]]);
    await c.read(APP);
    await c.expectInLockstep(APP);
  });

  it("asks another device when none of the first ones has answered for a moment", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, c] = await three(cluster);
    const d = await cluster.start("repo004");
    await cluster.addReplica(APP, d);
    await d.read(APP);
    await wants(cluster, 2);
    const hung: string[] = [];
    // Two are asked at first: whichever they are, neither gets an answer.
    for (const device of [b, c, d]) {
      const { openPack } = device;
      device.openPack = async (...request) => {
        if (hung.length === 2) return await openPack(...request);
        hung.push(device.name);
        return await new Promise(() => {});
      };
    }
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    const [holder] = ["repo002", "repo003", "repo004"].filter((name) => !hung.includes(name));
    expect(await copies(cluster)).toEqual([[holder]]);
  });
});
