// What watching tells, and what it reads for that.
import { describe, expect, it, vi } from "vitest";
import { removeRepository, restoreRepository } from "../../src/store/repository/removals.ts";
import { claimVersion, currentRepository, Landing, Told } from "../support/landing.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { SOON } from "../support/sync-device.ts";
import { tells, untilLooked } from "../support/watch-looks.ts";

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

  it("tells what landed before a repository was removed, by the name that it had, and what lands once it is restored", async () => {
    await using cluster = await TestCluster.make();
    const [one, two] = [await cluster.start("repo001"), await cluster.start("repo002")];
    const [gone, app] = [await currentRepository("gone", [one, two]), await currentRepository("app", [one])];
    await using landing = await Landing.connect(cluster);
    using everywhere = new Told(one, { repositories: ["gone", "app"], visible: "everywhere" });
    const begin = await everywhere.begun;
    await landing.land(gone);
    await landing.land(gone);
    await claimVersion(cluster, gone, "repo001", 1);
    await claimVersion(cluster, gone, "repo002", 1);
    await tells(everywhere, "gone 1");
    const act = { id: gone, author: "ada", reason: "" };
    await removeRepository(one.context.db, { ...act, name: "gone", keepDays: 1 });
    await landing.land(app);
    await claimVersion(cluster, app, "repo001", 1);
    await tells(everywhere, "gone 1", "app 1");
    using landed = new Told(one, { cursor: begin });
    await tells(landed, "gone 1", "gone 2", "app 1");
    await restoreRepository(one.context.db, { ...act, name: "back" });
    await landing.land(gone);
    await tells(landed, "gone 1", "gone 2", "app 1", "back 3");
    for (const device of ["repo001", "repo002"]) await claimVersion(cluster, gone, device, 3);
    using again = new Told(one, { cursor: begin, visible: "everywhere" });
    await tells(again, "back 1", "back 2", "app 1", "back 3");
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
