// A watcher that goes on from a cursor, and events that wait until they are visible everywhere.
import { describe, expect, it, vi } from "vitest";
import { setKeepLog } from "../../src/store/retention/keep-times.ts";
import { parseKeep } from "../../src/store/retention/subjects.ts";
import { trimDatabase } from "../../src/sync/retention/trim-database.ts";
import { claimVersion, currentRepository, Landing, Told } from "../support/landing.ts";
import { shortWaits } from "../support/short-waits.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { SOON, type TestDevice } from "../support/sync-device.ts";
import { tells, untilLooked } from "../support/watch-looks.ts";

const HELD = /left join lockstep\.log_trimmed/;

describe("a cursor", () => {
  it.each(["x", "1.", "1.5-", "1.5-6", "2.5", "1.5 ", `1.${"9".repeat(19)}`, "-1"])(
    "the cursor %j is refused",
    async (cursor) => {
      await using cluster = await TestCluster.make();
      const one = await cluster.start("repo001");
      using told = new Told(one, { cursor });
      expect(await told.ended).toMatchObject({ code: "INVALID_REQUEST" });
    },
  );

  it("a cursor of another cluster is refused when it is ahead of this one", async () => {
    await using cluster = await TestCluster.make();
    const one = await cluster.start("repo001");
    using told = new Told(one, { cursor: "1.1000" });
    expect(await told.ended).toMatchObject({
      code: "CURSOR_EXPIRED",
      message: expect.stringContaining("ahead of everything"),
    });
  });

  it("expires when an older copy takes the place of the database", async () => {
    using _ = shortWaits();
    await using cluster = await TestCluster.make();
    const one = await cluster.start("repo001");
    const app = await currentRepository("app", [one]);
    await using landing = await Landing.connect(cluster);
    using told = new Told(one);
    await told.begun;
    for (let i = 0; i < 3; i += 1) await landing.land(app);
    await tells(told, "app 1", "app 2", "app 3");
    await cluster.sql("update lockstep.repository set head_version = 1");
    await cluster.sql("delete from lockstep.ref_log where version > 1");
    await cluster.sql("delete from lockstep.log_trimmed");
    await cluster.sql("select setval('lockstep.ref_log_position', 1)");
    one.context.tail.wake();
    expect(await told.ended).toMatchObject({ code: "CURSOR_EXPIRED", details: { ahead: "true" } });
    using again = new Told(one);
    await again.begun;
    await landing.land(app);
    await tells(again, "app 2");
  });

  it("from before a trim of the log has expired, and the beginning is after it", async () => {
    await using cluster = await TestCluster.make();
    const one = await cluster.start("repo001");
    const [app, web] = [await currentRepository("app", [one]), await currentRepository("web", [one])];
    await using landing = await Landing.connect(cluster);
    using told = new Told(one);
    const begin = await told.begun;
    for (const id of [app, web, app, web, app]) await landing.land(id);
    await vi.waitFor(() => expect(told.events).toHaveLength(5), SOON);
    await cluster.sql("delete from lockstep.ref_log where repository_id = $1 and version <= 2", [app]);
    for (const cursor of [begin, told.cursors[0]!, told.cursors[1]!]) {
      using old = new Told(one, { cursor });
      expect(await old.ended).toMatchObject({ code: "CURSOR_EXPIRED" });
    }
    // Nothing of this repository was trimmed.
    using other = new Told(one, { cursor: begin, repositories: ["web"] });
    await tells(other, "web 1", "web 2");
    using after = new Told(one, { cursor: told.cursors[2]! });
    await tells(after, "web 2", "app 3");
    using beginning = new Told(one, { cursor: "beginning" });
    await tells(beginning, "web 2", "app 3");
    // A repository that is gone has no events, and nobody misses them.
    await cluster.sql("delete from lockstep.repository where id = $1", [app]);
    using without = new Told(one, { cursor: begin });
    await tells(without, "web 1", "web 2");
  });

  it("expires by the retention that an operator sets", async () => {
    await using cluster = await TestCluster.make();
    const one = await cluster.start("repo001");
    const app = await currentRepository("app", [one]);
    await using landing = await Landing.connect(cluster);
    using told = new Told(one);
    const begin = await told.begun;
    for (let i = 0; i < 4; i += 1) await landing.land(app);
    await vi.waitFor(() => expect(told.events).toHaveLength(4), SOON);
    await setKeepLog(one.context.db, "app", parseKeep("log", "2"));
    expect(await trimDatabase(one.context)).toBe(2);
    using old = new Told(one, { cursor: begin });
    expect(await old.ended).toMatchObject({ code: "CURSOR_EXPIRED" });
    using rest = new Told(one, { cursor: told.cursors[1]! });
    await tells(rest, "app 3", "app 4");
  });

  it("expires under a watcher that is too slow", async () => {
    await using cluster = await TestCluster.make();
    const one = await cluster.start("repo001");
    const [app, two] = [await currentRepository("app", [one]), await cluster.start("repo002")];
    await cluster.addReplica("app", two);
    await using landing = await Landing.connect(cluster);
    using told = new Told(one, { visible: "everywhere" });
    await told.begun;
    await landing.land(app);
    await landing.land(app);
    await untilLooked(one);
    await cluster.sql("delete from lockstep.ref_log where version = 1");
    expect(await told.ended).toMatchObject({ code: "CURSOR_EXPIRED" });
  });
});

describe("an event that is to be visible everywhere", () => {
  it("waits for each live device that has the repository, and holds back no other repository", async () => {
    await using cluster = await TestCluster.make();
    const [one, two] = [await cluster.start("repo001"), await cluster.start("repo002")];
    const [app, web] = [await currentRepository("app", [one, two]), await currentRepository("web", [one])];
    await using landing = await Landing.connect(cluster);
    using told = new Told(one, { visible: "everywhere" });
    await told.begun;
    await landing.land(app);
    await landing.land(app);
    await claimVersion(cluster, app, "repo001", 2);
    await landing.land(web);
    await claimVersion(cluster, web, "repo001", 1);
    await tells(told, "web 1");
    await claimVersion(cluster, app, "repo002", 1);
    await tells(told, "web 1", "app 1");
    await landing.land(app);
    await claimVersion(cluster, app, "repo002", 3);
    await untilLooked(one);
    // The device that was pushed to counts too.
    await tells(told, "web 1", "app 1", "app 2");
    await claimVersion(cluster, app, "repo001", 3);
    await tells(told, "web 1", "app 1", "app 2", "app 3");
  });

  it("is not passed over without a word if the log loses it before the watcher comes back", async () => {
    await using cluster = await TestCluster.make();
    const [one, two] = [await cluster.start("repo001"), await cluster.start("repo002")];
    const [app, web] = [await currentRepository("app", [one, two]), await currentRepository("web", [one])];
    await using landing = await Landing.connect(cluster);
    let cursor: string;
    {
      using told = new Told(one, { visible: "everywhere" });
      await told.begun;
      for (const id of [app, app, web]) await landing.land(id);
      await claimVersion(cluster, web, "repo001", 1);
      await tells(told, "web 1");
      cursor = told.cursors[0]!;
    }
    await cluster.sql("delete from lockstep.ref_log where version = 1 and repository_id = $1", [app]);
    using again = new Told(one, { visible: "everywhere", cursor });
    expect(await again.ended).toMatchObject({ code: "CURSOR_EXPIRED" });
    using other = new Told(one, { visible: "everywhere", cursor, repositories: ["web"] });
    await other.begun;
  });

  it("comes from the cursor of a later event of another repository", async () => {
    await using cluster = await TestCluster.make();
    const [one, two] = [await cluster.start("repo001"), await cluster.start("repo002")];
    const [app, web] = [await currentRepository("app", [one, two]), await currentRepository("web", [one])];
    await using landing = await Landing.connect(cluster);
    let cursor: string;
    {
      using told = new Told(two, { visible: "everywhere" });
      await told.begun;
      for (const id of [app, web, app, web]) await landing.land(id);
      await claimVersion(cluster, web, "repo001", 2);
      await tells(told, "web 1", "web 2");
      cursor = told.cursors[1]!;
    }
    await claimVersion(cluster, app, "repo001", 2);
    await claimVersion(cluster, app, "repo002", 2);
    using again = new Told(one, { visible: "everywhere", cursor });
    await tells(again, "app 1", "app 2");
    using between = new Told(one, { visible: "everywhere", cursor: again.cursors[0]! });
    await tells(between, "app 2");
    using landed = new Told(one, { cursor });
    await tells(landed, "app 1", "app 2");
  });

  it("waits no longer for a device that has gone, or for a broken replica", async () => {
    await using cluster = await TestCluster.make();
    const devices = [await cluster.start("repo001"), await cluster.start("repo002"), await cluster.start("repo003")];
    const [one, two] = devices as [TestDevice, TestDevice, TestDevice];
    const app = await currentRepository("app", devices);
    await using landing = await Landing.connect(cluster);
    using told = new Told(one, { visible: "everywhere" });
    await told.begun;
    await landing.land(app);
    await claimVersion(cluster, app, "repo001", 1);
    await cluster.sql("update lockstep.replica set state = 'broken' where device = 'repo003'");
    await untilLooked(one);
    expect(told.events).toEqual([]);
    await two.stop();
    await tells(told, "app 1");
  });

  it("is told at once if only one device has the repository", async () => {
    await using cluster = await TestCluster.make();
    const one = await cluster.start("repo001");
    const app = await currentRepository("app", [one]);
    await using landing = await Landing.connect(cluster);
    using told = new Told(one, { visible: "everywhere" });
    await told.begun;
    await landing.land(app);
    await claimVersion(cluster, app, "repo001", 1);
    await tells(told, "app 1");
  });

  it("an event of more than a hundred repositories that is to be visible everywhere keeps the cursor short, and comes in the end", async () => {
    await using cluster = await TestCluster.make();
    const [one, two] = [await cluster.start("repo001"), await cluster.start("repo002")];
    await using landing = await Landing.connect(cluster);
    using told = new Told(one, { visible: "everywhere" });
    await told.begun;
    const ids: string[] = [];
    for (let i = 0; i < 105; i += 1) ids.push(await currentRepository(`held/${i}`, [one, two]));
    for (const id of ids) await landing.land(id);
    await untilLooked(one, HELD);
    expect(told.events).toEqual([]);
    await cluster.sql("update lockstep.replica set version = 1, state = 'active'");
    await vi.waitFor(() => expect(told.events).toHaveLength(105), SOON);
    expect(new Set(told.events).size).toBe(105);
    expect(Math.max(...told.cursors.map((cursor) => cursor.length))).toBeLessThan(2_000);
  });
});
