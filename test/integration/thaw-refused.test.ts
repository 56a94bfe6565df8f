// When a thaw is refused.
import { describe, expect, it } from "vitest";
import { TestCluster } from "../support/sync-cluster.ts";
import { change } from "../support/sync-device.ts";
import { APP, ask, commits, leaderGone, lost, REFUSED, settle, three } from "../support/thawing.ts";

describe("giving versions up is refused", () => {
  it("giving up versions of a device that is live, or has no replica, is refused", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    await expect(ask(b, { demote: ["repo001"] })).rejects.toMatchObject({
      ...REFUSED,
      message: expect.stringContaining("repo001 is live"),
    });
    await expect(ask(a, { demote: ["repo009"] })).rejects.toMatchObject({ code: "DEVICE_NOT_FOUND" });
  });

  it("where another live device holds the head", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one] = await commits(a);
    await a.push(APP, [change("main", null, one)]);
    await b.read(APP);
    await a.stop();
    await expect(ask(b, { demote: ["repo001"] })).rejects.toMatchObject({
      ...REFUSED,
      message: expect.stringContaining("nothing need be given up"),
    });
  });

  it("versions are not given up until every holder is named", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, c] = await three(cluster);
    const [one, two] = await commits(a);
    await a.push(APP, [change("main", null, one)]);
    await c.read(APP);
    await a.push(APP, [change("main", one, two)]);
    await b.read(APP);
    await a.stop();
    await b.stop();
    await expect(ask(c, { demote: ["repo001"] })).rejects.toMatchObject({
      ...REFUSED,
      message: expect.stringMatching(/repo002, away since .* name it too/),
    });
    expect(await settle(c, { demote: ["repo001", "repo002"] })).toMatchObject({ done: true, plan: { version: 3n } });
    const back = await b.restart();
    await back.read(APP);
    expect(await lost(back)).toEqual({ "refs/lockstep/lost/3/heads/main": two });
  });

  it("versions are not given up where nothing would be left", async () => {
    await using cluster = await TestCluster.make();
    const { b, c } = await leaderGone(cluster);
    await cluster.sql("update lockstep.replica set state = 'broken' where device <> 'repo001'");
    await expect(ask(b, { demote: ["repo001"] })).rejects.toMatchObject({
      ...REFUSED,
      message: expect.stringContaining("No live device"),
    });
    await c.stop();
  });
});
