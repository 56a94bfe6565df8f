import { describe, expect, it, vi } from "vitest";
import { parseKeep } from "../../src/retention.ts";
import { setKeepLog } from "../../src/store/retention/keep-times.ts";
import { trimDatabase } from "../../src/sync/retention/trim-database.ts";
import { claimVersion, currentRepository, Landing, Told } from "../support/landing.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { SOON, type TestDevice } from "../support/sync-device.ts";

const TAIL = /lockstep\.log_tail/;
const HELD = /left join lockstep\.log_trimmed/;

/** Resolves when the device has sent such statements, each after the one before was answered. */
async function untilLooked(device: TestDevice, statement = TAIL, looks = 3): Promise<void> {
  let seen = 0;
  device.onStatement = async (text, run) => {
    const result = await run();
    if (statement.test(text)) seen += 1;
    return result;
  };
  await vi.waitFor(() => {
    // Somebody has to ask, or the next look is that of the poll.
    device.context.tail.wake();
    expect(seen).toBeGreaterThanOrEqual(looks);
  }, SOON);
  device.onStatement = (_, run) => run();
}

async function tells(told: Told, ...events: string[]): Promise<void> {
  await vi.waitFor(() => expect(told.events).toEqual(events), SOON);
}

describe("watching", () => {
  it("tells what lands from now on, on any device, in order, without a notification", async () => {
    await using cluster = await TestCluster.make();
    const [one, two] = [await cluster.start("repo001"), await cluster.start("repo002")];
    const app = await currentRepository("team/app", [one, two]);
    const web = await currentRepository("team/web", [one]);
    await using landing = await Landing.connect(cluster);
    await landing.land(app);
    using at = new Told(two);
    await at.begun;
    for (const id of [app, web, app, app, web]) await landing.land(id);
    await tells(at, "team/app 2", "team/web 1", "team/app 3", "team/app 4", "team/web 2");
  });

  it("goes on after each cursor, with nothing missed and nothing twice", async () => {
    await using cluster = await TestCluster.make();
    const one = await cluster.start("repo001");
    const [app, web] = [await currentRepository("app", [one]), await currentRepository("web", [one])];
    await using landing = await Landing.connect(cluster);
    // More than a page.
    for (let i = 0; i < 40; i += 1) for (const id of [app, web]) await landing.land(id, i % 3);
    using all = new Told(one, { cursor: "beginning" });
    await vi.waitFor(() => expect(all.events).toHaveLength(80), SOON);
    const whole = [...all.events];
    expect(new Set(whole).size).toBe(80);
    for (const index of [0, 17, 49, 50, 78]) {
      using rest = new Told(one, { cursor: all.cursors[index]! });
      await tells(rest, ...whole.slice(index + 1));
    }
  });

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

  it("goes on when the database was away", async () => {
    await using cluster = await TestCluster.make();
    const one = await cluster.start("repo001");
    const app = await currentRepository("app", [one]);
    using told = new Told(one);
    await told.begun;
    {
      await using _ = await cluster.databaseGone();
      one.context.tail.wake();
      await vi.waitFor(
        () => expect(one.logged.some(({ msg }) => /database cannot be used/.test(String(msg)))).toBe(true),
        SOON,
      );
    }
    await using landing = await Landing.connect(cluster);
    await landing.land(app);
    await tells(told, "app 1");
  });

  it.each([
    [["team/app"], ["team/app 1"]],
    [["team/*"], ["team/app 1", "team/a_b 1", "team/deep/app 1"]],
    [
      ["*app", "web"],
      ["team/app 1", "team/deep/app 1", "web 1"],
    ],
    [["team/a?b"], ["team/a_b 1"]],
    [["we?"], ["web 1"]],
    [["*"], ["team/app 1", "team/a_b 1", "team/deep/app 1", "web 1"]],
  ])("tells of %j only what they match", async (repositories, expected) => {
    await using cluster = await TestCluster.make();
    const one = await cluster.start("repo001");
    await using landing = await Landing.connect(cluster);
    using told = new Told(one, { repositories });
    await told.begun;
    for (const name of ["team/app", "team/a_b", "team/deep/app", "web"])
      await landing.land(await currentRepository(name, [one]));
    await tells(told, ...expected);
    await untilLooked(one);
    expect(told.events).toEqual(expected);
  });

  it("tells nothing of a repository that was removed", async () => {
    await using cluster = await TestCluster.make();
    const [one, two] = [await cluster.start("repo001"), await cluster.start("repo002")];
    const [gone, app] = [await currentRepository("gone", [one, two]), await currentRepository("app", [one])];
    await using landing = await Landing.connect(cluster);
    using everywhere = new Told(one, { visible: "everywhere" });
    const begin = await everywhere.begun;
    await landing.land(gone);
    await untilLooked(one);
    await cluster.sql("update lockstep.repository set name = '.removed/' || id where id = $1", [gone]);
    await landing.land(app);
    await claimVersion(cluster, app, "repo001", 1);
    await tells(everywhere, "app 1");
    using landed = new Told(one, { cursor: begin });
    await tells(landed, "app 1");
  });

  it("reads only what is new, whatever the number of repositories", async () => {
    await using cluster = await TestCluster.make();
    const one = await cluster.start("repo001");
    const app = await currentRepository("app", [one]);
    await using landing = await Landing.connect(cluster);
    using told = new Told(one, { repositories: ["nothing/*"] });
    await told.begun;
    for (let i = 0; i < 5; i += 1) await landing.land(app);
    const ranges: unknown[] = [];
    one.onStatement = async (text, run) => {
      if (/from lockstep\.ref_log l where l\.position/.test(text)) ranges.push(text);
      return await run();
    };
    await untilLooked(one);
    await landing.land(app);
    await untilLooked(one);
    expect(told.events).toEqual([]);
    // No event matched, and still no version is read twice.
    expect(ranges.length).toBeLessThan(5);
  });
});

describe("a cursor", () => {
  it.each(["x", "1.", "1.5-", "1.5-6", "2.5", "1.5 ", `1.${"9".repeat(19)}`, "-1"])("%j is refused", async (cursor) => {
    await using cluster = await TestCluster.make();
    const one = await cluster.start("repo001");
    using told = new Told(one, { cursor });
    expect(await told.ended).toMatchObject({ code: "INVALID_REQUEST" });
  });

  it("of another cluster is refused when it is ahead of this one", async () => {
    await using cluster = await TestCluster.make();
    const one = await cluster.start("repo001");
    using told = new Told(one, { cursor: "1.1000" });
    expect(await told.ended).toMatchObject({
      code: "CURSOR_EXPIRED",
      message: expect.stringContaining("ahead of everything"),
    });
  });

  it("expires when an older copy takes the place of the database", async () => {
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

  it("of more than a hundred repositories keeps the cursor short, and comes in the end", async () => {
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
