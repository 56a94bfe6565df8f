import { cp } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { compareRefs } from "../../src/domain.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";
import { APP, ask, commits, leaderGone, lost, REFUSED, recorded, settle, three } from "../support/thawing.ts";

describe("when the only device with the head is gone", () => {
  it("a read says which version that is, who has it, since when, and what to do", async () => {
    await using cluster = await TestCluster.make();
    const { b } = await leaderGone(cluster);
    await expect(b.read(APP)).rejects.toMatchObject({
      code: "NO_SOURCE",
      message: expect.stringMatching(
        /version 3 of team\/app .*repo001 \(away since \d{4}-.*Z\) .*`lockstep thaw team\/app --demote repo001`/,
      ),
      details: { version: "3", away: "repo001" },
    });
  });

  it("the plan shows first which versions would be given up, and changes nothing", async () => {
    await using cluster = await TestCluster.make();
    const { b, one, two, third } = await leaderGone(cluster);
    const { plan, done } = await ask(b, { demote: ["repo001"] });
    expect(done).toBe(false);
    expect(plan).toMatchObject({ head: 3n, version: 4n, keeper: { version: 1n }, gained: { commits: [] } });
    expect([...plan.updates].sort((x, y) => compareRefs(x.name, y.name))).toEqual([
      change("main", third, one),
      change("new", two, null),
      change("old", null, one),
    ]);
    expect(plan.givenUp.map(({ version, author, device }) => ({ version, author, device }))).toEqual([
      { version: 3n, author: "grace", device: "repo001" },
      { version: 2n, author: "ada", device: "repo001" },
    ]);
    expect([...plan.lost.missing].sort()).toEqual([two, third].sort());
    expect(await cluster.sql("select head_version from lockstep.repository")).toEqual([{ head_version: "3" }]);
  });

  it("commits whose objects are here are shown with author, subject and time", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, two, third } = await leaderGone(cluster);
    // As after a catch-up that was cut off between the objects and the refs.
    await cp(join(a.gitDir(APP), "objects"), join(b.gitDir(APP), "objects"), { recursive: true, force: false });
    const { plan } = await ask(b, { demote: ["repo001"] });
    expect(plan.lost.commits.map(({ id, author, subject }) => ({ id, author, subject }))).toEqual([
      { id: third, author: "Ada", subject: "three" },
      { id: two, author: "Ada", subject: "two" },
    ]);
    expect(plan.lost.missing).toEqual([]);
  });

  it("the log goes on from what is left: reads and pushes work again everywhere", async () => {
    await using cluster = await TestCluster.make();
    const { b, c, one } = await leaderGone(cluster);
    await expect(c.read(APP)).rejects.toMatchObject({ code: "NO_SOURCE" });
    expect(await settle(b, { demote: ["repo001"] })).toMatchObject({ done: true });
    expect(await b.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main", "refs/heads/main": one, "refs/heads/old": one });
    await b.expectInLockstep(APP);
    await vi.waitFor(async () => expect(await c.read(APP)).toMatchObject({ version: 4n }), SOON);
    await c.expectInLockstep(APP);
    const next = await c.commit(APP, "next", { parents: [one] });
    expect(await c.push(APP, [change("main", one, next)])).toEqual({ "refs/heads/main": null });
    expect(await b.read(APP)).toMatchObject({ version: 5n });
    expect(await lost(b)).toEqual({});
    const audit = await cluster.sql("select author, action, repository, device, detail from lockstep.audit");
    expect(audit).toEqual([
      {
        author: "olga",
        action: "thaw --demote",
        repository: APP,
        device: "repo001",
        detail: { device: "repo002", head: "3", version: "4", refs: 3 },
      },
    ]);
    expect(
      await cluster.sql(
        "select versions from (select array_agg(version order by version) versions from lockstep.ref_log) l",
      ),
    ).toEqual([{ versions: ["1", "2", "3", "4", "5"] }]);
  });

  it("refs that had given way to others below them come back, and what was below them is kept aside", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, c] = await three(cluster);
    const [one, two] = await commits(a);
    await a.push(APP, [change("topic", null, one)]);
    await b.read(APP);
    await c.read(APP);
    await recorded(cluster, b, "1");
    await a.push(APP, [change("topic", one, null), change("topic/a", null, two)]);
    await a.stop();
    expect((await settle(b, { demote: ["repo001"] })).done).toBe(true);
    const back = await a.restart();
    await back.read(APP);
    await c.read(APP);
    for (const device of [back, b, c]) {
      expect(await device.refs(APP)).toMatchObject({ "refs/heads/topic": one });
      await device.expectInLockstep(APP);
    }
    expect(Object.values(await lost(back))).toEqual([two]);
  });

  it("the device that returns keeps what was given up aside, then follows", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, one, two, third } = await leaderGone(cluster);
    await settle(b, { demote: ["repo001"] });
    const back = await a.restart();
    expect(await back.read(APP)).toMatchObject({ version: 4n });
    await back.expectInLockstep(APP);
    expect(await lost(back)).toEqual({
      "refs/lockstep/lost/4/heads/main": third,
      "refs/lockstep/lost/4/heads/new": two,
    });
    await back.git(APP, ["gc", "--prune=now", "--quiet"]);
    expect(await back.has(APP, third)).toBe(true);
    // What was given up may be pushed again.
    expect(await back.push(APP, [change("main", one, third)])).toEqual({ "refs/heads/main": null });
    expect(await b.read(APP)).toMatchObject({ version: 5n });
    await b.expectInLockstep(APP);
  });

  it("the device that returns keeps also what had landed there and not reached its refs", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, one, two, third } = await leaderGone(cluster);
    await settle(b, { demote: ["repo001"] });
    // Killed between the decision and the refs.
    await a.git(APP, ["update-ref", "refs/heads/main", two]);
    await a.git(APP, ["update-ref", "refs/heads/old", one]);
    const back = await a.restart();
    await back.read(APP);
    expect(await lost(back)).toMatchObject({ "refs/lockstep/lost/4/heads/main": third });
    await back.expectInLockstep(APP);
  });

  it("a device that was asleep and wakes up is fenced off, and its staged write dropped", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one, two] = await commits(a);
    await a.push(APP, [change("main", null, one)]);
    await b.read(APP);
    await a.push(APP, [change("main", one, two)]);
    await recorded(cluster, a, "2");
    // Its lease has run out; it does not know yet.
    await cluster.sql("update lockstep.device set expires_at = clock_timestamp() where name = 'repo001'");
    await settle(b, { demote: ["repo001"] });
    await expect(a.push(APP, [change("main", two, one)])).rejects.toMatchObject({ code: "FENCED" });
    expect(a.fenced).toBe(true);
    const back = await a.restart();
    expect(await back.read(APP)).toMatchObject({ version: 3n });
    expect(await lost(back)).toEqual({ "refs/lockstep/lost/3/heads/main": two });
  });

  it("a plan is carried out only if nothing has changed since it was shown", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, c } = await leaderGone(cluster);
    const { confirmation } = await ask(b, { demote: ["repo001"] });
    await expect(ask(b, { demote: ["repo001"] }, "f".repeat(32))).rejects.toMatchObject({ code: "WRITE_DROPPED" });
    await settle(c, { demote: ["repo001"] });
    await expect(ask(b, { demote: ["repo001"] }, confirmation)).rejects.toMatchObject(REFUSED);
    expect(await cluster.sql("select head_version from lockstep.repository")).toEqual([{ head_version: "4" }]);
    await a.restart();
  });

  it("a plan is not carried out when the device comes back at that moment", async () => {
    await using cluster = await TestCluster.make();
    const { a, b } = await leaderGone(cluster);
    const { confirmation } = await ask(b, { demote: ["repo001"] });
    b.onStatement = async (text, run) => {
      if (text.includes("lockstep.thaw(")) await a.restart();
      return await run();
    };
    await expect(ask(b, { demote: ["repo001"] }, confirmation)).rejects.toMatchObject({ code: "WRITE_DROPPED" });
    await vi.waitFor(async () => expect(await b.read(APP)).toMatchObject({ version: 3n }), SOON);
  });
});
