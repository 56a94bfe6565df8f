// The order in which watching tells versions: by position, though they commit in another order.
import { describe, expect, it, vi } from "vitest";
import { currentRepository, Landing, Told } from "../support/landing.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { SOON } from "../support/sync-device.ts";
import { tells, untilLooked } from "../support/watch-looks.ts";

describe("watching", () => {
  it("tells no version before one with a lower position that commits later, and misses neither", async () => {
    await using cluster = await TestCluster.make();
    const one = await cluster.start("repo001");
    const ids = await Promise.all(["slow", "quick", "other"].map((name) => currentRepository(name, [one])));
    const [slow, quick, other] = ids as [string, string, string];
    using told = new Told(one);
    const begin = await told.begun;
    await using first = await Landing.connect(cluster);
    await using second = await Landing.connect(cluster);
    await first.sql("begin");
    await first.land(slow);
    await second.land(quick);
    await untilLooked(one);
    // It begins while the first transaction is under way, so that one lands later.
    using late = new Told(one, { cursor: begin });
    await untilLooked(one);
    expect([told.events, late.events]).toEqual([[], []]);
    await first.sql("commit");
    await tells(told, "slow 1", "quick 1");
    await tells(late, "slow 1", "quick 1");
    await second.land(other);
    await tells(told, "slow 1", "quick 1", "other 1");
  });

  it("begins after what is under way has landed or not", async () => {
    await using cluster = await TestCluster.make();
    const one = await cluster.start("repo001");
    const [slow, quick] = [await currentRepository("slow", [one]), await currentRepository("quick", [one])];
    await using first = await Landing.connect(cluster);
    await using second = await Landing.connect(cluster);
    await first.sql("begin");
    await first.land(slow);
    await second.land(quick);
    using told = new Told(one);
    let begun = false;
    void told.begun.then(() => {
      begun = true;
    });
    await untilLooked(one);
    expect(begun).toBe(false);
    await first.sql("commit");
    await told.begun;
    await second.land(quick);
    await tells(told, "quick 2");
  });

  it("passes over a position whose transaction was rolled back", async () => {
    await using cluster = await TestCluster.make();
    const one = await cluster.start("repo001");
    const [app, web] = [await currentRepository("app", [one]), await currentRepository("web", [one])];
    using told = new Told(one);
    await told.begun;
    await using first = await Landing.connect(cluster);
    await using second = await Landing.connect(cluster);
    await first.sql("begin");
    await first.land(app);
    await second.land(web);
    await untilLooked(one);
    expect(told.events).toEqual([]);
    await first.sql("rollback");
    await tells(told, "web 1");
    await second.land(app);
    await tells(told, "web 1", "app 1");
  });

  it("waits for no transaction that has no position in the log", async () => {
    await using cluster = await TestCluster.make();
    const one = await cluster.start("repo001");
    const app = await currentRepository("app", [one]);
    await using landing = await Landing.connect(cluster);
    await using stranger = await Landing.connect(cluster);
    // It has an older transaction id, and even holds the lock of those who write the log.
    await stranger.sql("begin");
    await stranger.sql("create table lockstep.of_somebody (a int)");
    using told = new Told(one);
    await told.begun;
    await stranger.sql("delete from lockstep.ref_log where version < 0");
    await landing.land(app);
    await tells(told, "app 1");
    await stranger.sql("rollback");
  });

  it("never reuses a position after the database has moved to another server", async () => {
    await using cluster = await TestCluster.make();
    const one = await cluster.start("repo001");
    const app = await currentRepository("app", [one]);
    await using landing = await Landing.connect(cluster);
    await landing.land(app);
    using told = new Told(one);
    const begin = await told.begun;
    // As after a fail-over: the rows say another timeline than the server.
    await cluster.sql("update lockstep.timeline set id = '00000000/1'");
    await vi.waitFor(async () => {
      await one.context.lease.renewSoon();
      expect(await cluster.sql("select id from lockstep.timeline")).toEqual([{ id: one.context.lease.timeline }]);
    }, SOON);
    await landing.land(app);
    await tells(told, "app 2");
    expect(BigInt(told.cursors[0]!.slice(2)) - BigInt(begin.slice(2))).toBeGreaterThan(1n << 32n);
  });

  it("goes on after a move to a logical replica, which has no sequences", async () => {
    await using cluster = await TestCluster.make();
    const one = await cluster.start("repo001");
    const app = await currentRepository("app", [one]);
    await using landing = await Landing.connect(cluster);
    let cursor: string;
    {
      using told = new Told(one);
      await told.begun;
      for (let i = 0; i < 3; i += 1) await landing.land(app);
      await tells(told, "app 1", "app 2", "app 3");
      cursor = told.cursors[1]!;
    }
    await cluster.sql("update lockstep.timeline set id = '00000000/1'");
    await cluster.sql("select setval('lockstep.ref_log_position', 1, false)");
    await one.context.lease.renewSoon();
    await landing.land(app);
    using again = new Told(one, { cursor });
    await tells(again, "app 3", "app 4");
  });
});
