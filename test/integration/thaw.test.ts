import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { compareRefs } from "../../src/domain.ts";
import { type ThawAction, thaw } from "../../src/sync/operator/thaw.ts";
import { loseWrites } from "../support/lose-writes.ts";
import { repaired } from "../support/repairing.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";
const REFUSED = { code: "THAW_REFUSED" };

const ask = (device: TestDevice, action: ThawAction, confirmation = "") =>
  thaw(device.context, {
    repository: APP,
    action,
    confirmation,
    author: "olga",
    signal: AbortSignal.timeout(SOON.timeout),
  });

/** As an operator does who reads what it would do and says yes. */
async function settle(device: TestDevice, action: ThawAction) {
  const { confirmation } = await ask(device, action);
  return await ask(device, action, confirmation);
}

/** What is kept aside on a device. */
async function lost(device: TestDevice): Promise<Record<string, string>> {
  const out = await device.git(APP, ["for-each-ref", "--format=%(refname) %(objectname)", "refs/lockstep/lost/"]);
  return Object.fromEntries(
    out
      .split("\n")
      .filter(Boolean)
      .map((line) => line.split(" ") as [string, string]),
  );
}

async function three(cluster: TestCluster): Promise<[TestDevice, TestDevice, TestDevice]> {
  const devices = [await cluster.start("repo001"), await cluster.start("repo002"), await cluster.start("repo003")] as [
    TestDevice,
    TestDevice,
    TestDevice,
  ];
  await cluster.create(APP, devices);
  return devices;
}

async function commits(device: TestDevice): Promise<[string, string, string]> {
  const one = await device.commit(APP, "one");
  const two = await device.commit(APP, "two", { parents: [one] });
  return [one, two, await device.commit(APP, "three", { parents: [two] })];
}

const recorded = async (cluster: TestCluster, device: TestDevice, version: string) =>
  await vi.waitFor(
    async () =>
      expect(await cluster.sql("select version from lockstep.replica where device = $1", [device.name])).toEqual([
        { version },
      ]),
    SOON,
  );

/** a alone holds versions 2 and 3, and is gone; b and c are at version 1. */
async function leaderGone(cluster: TestCluster) {
  const [a, b, c] = await three(cluster);
  const [one, two, third] = await commits(a);
  await a.push(APP, [change("main", null, one), change("old", null, one)]);
  await b.read(APP);
  await c.read(APP);
  await a.push(APP, [change("main", one, two), change("new", null, two)]);
  await a.push(APP, [change("main", two, third), change("old", one, null)], { author: "grace" });
  await recorded(cluster, a, "3");
  await a.stop();
  return { a, b, c, one, two, third };
}

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

describe("giving versions up is refused", () => {
  it("of a device that is live, or has no replica", async () => {
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

  it("until every holder is named", async () => {
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

  it("where nothing would be left", async () => {
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

/** a has version 2 of main, which the database lost; b has landed another version 2, and c has followed b. */
async function diverged(cluster: TestCluster) {
  const [a, b, c] = await three(cluster);
  const [one, two] = await commits(a);
  await a.push(APP, [change("main", null, one)]);
  await b.read(APP);
  await c.read(APP);
  await a.push(APP, [change("main", one, two)]);
  await recorded(cluster, a, "2");
  await loseWrites(cluster, APP, 1n);
  const elsewhere = await b.commit(APP, "elsewhere");
  await b.push(APP, [change("topic", null, elsewhere)]);
  await c.read(APP);
  await expect(a.read(APP)).rejects.toMatchObject({ code: "AHEAD_OF_DATABASE" });
  return { a, b, c, one, two, elsewhere };
}

describe("when the database has lost writes that a device has", () => {
  it("the refs of that device can be brought back: the others follow, and keep their own refs aside", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, c, two, elsewhere } = await diverged(cluster);
    const { plan } = await ask(a, { promote: "repo001" });
    expect(plan).toMatchObject({ head: 2n, version: 3n, keeper: { device: "repo001", version: 2n } });
    expect(plan.gained.commits).toMatchObject([{ id: two, subject: "two", author: "Ada" }]);
    expect([...plan.lost.commits.map(({ id }) => id), ...plan.lost.missing]).toEqual([elsewhere]);
    expect(await settle(a, { promote: "repo001" })).toMatchObject({ done: true });
    await a.expectInLockstep(APP);
    for (const device of [b, c]) {
      expect(await device.read(APP)).toMatchObject({ version: 3n });
      await device.expectInLockstep(APP);
      expect(await device.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main", "refs/heads/main": two });
      expect(await lost(device)).toEqual({ "refs/lockstep/lost/3/heads/topic": elsewhere });
    }
    const next = await b.commit(APP, "next", { parents: [two] });
    expect(await b.push(APP, [change("main", two, next)])).toEqual({ "refs/heads/main": null });
    expect(await a.read(APP)).toMatchObject({ version: 4n });
    expect(
      await cluster.sql("select author, action, detail->>'version' as version from lockstep.audit order by id"),
    ).toEqual([
      { author: "device repo001", action: "stop", version: null },
      { author: "olga", action: "thaw --promote", version: "3" },
    ]);
  });

  it("the refs of the others can stay: the device keeps its own refs aside, then follows", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, two, elsewhere } = await diverged(cluster);
    await expect(ask(b, { demote: ["repo003"] })).rejects.toMatchObject(REFUSED);
    const { plan } = await ask(b, { promote: "repo002" });
    expect(plan).toMatchObject({ updates: [], version: 3n });
    await settle(b, { promote: "repo002" });
    expect(await b.read(APP)).toMatchObject({ version: 3n });
    await vi.waitFor(async () => expect(await a.read(APP)).toMatchObject({ version: 3n }), SOON);
    await a.expectInLockstep(APP);
    expect(await a.refs(APP)).toMatchObject({ "refs/heads/topic": elsewhere });
    expect(await lost(a)).toEqual({ "refs/lockstep/lost/3/heads/main": two });
  });

  it("a device that was away comes back with a third state, which can be settled too", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, c] = await three(cluster);
    const [one, two, third] = await commits(a);
    await a.push(APP, [change("main", null, one)]);
    await a.push(APP, [change("main", one, two)]);
    await b.read(APP);
    await c.read(APP);
    await a.push(APP, [change("main", two, third)]);
    await recorded(cluster, a, "3");
    await a.crash();
    await loseWrites(cluster, APP, 1n);
    // b and c are at 2, the database at 1, a, which is away, at 3.
    await expect(b.read(APP)).rejects.toMatchObject({ code: "AHEAD_OF_DATABASE" });
    await expect(c.read(APP)).rejects.toMatchObject({ code: "AHEAD_OF_DATABASE" });
    await settle(b, { promote: "repo002" });
    expect(await b.read(APP)).toMatchObject({ version: 3n });
    expect(await c.read(APP)).toMatchObject({ version: 3n });
    await c.expectInLockstep(APP);
    expect(await lost(c)).toEqual({});
    const back = await a.restart();
    await expect(back.read(APP)).rejects.toMatchObject({ code: "AHEAD_OF_DATABASE" });
    await settle(back, { promote: "repo001" });
    expect(await c.read(APP)).toMatchObject({ version: 4n });
    expect(await c.refs(APP)).toMatchObject({ "refs/heads/main": third });
    for (const device of [back, b, c]) {
      await device.read(APP);
      await device.expectInLockstep(APP);
    }
  });

  it("a version that leaves a gap is followed over by those below, in and above it", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, c] = await three(cluster);
    const history = [await a.commit(APP, "0")];
    for (let n = 1; n < 5; n += 1)
      history.push(await a.commit(APP, String(n), { parents: [history[n - 1] as string] }));
    await a.push(APP, [change("main", null, history[0] as string)]);
    await c.read(APP);
    for (let n = 1; n < 5; n += 1) {
      await a.push(APP, [change("main", history[n - 1] as string, history[n] as string)]);
      if (n === 2) await b.read(APP);
    }
    await recorded(cluster, a, "5");
    await loseWrites(cluster, APP, 1n);
    await settle(a, { promote: "repo001" });
    for (const device of [b, c, a]) {
      expect(await device.read(APP)).toMatchObject({ version: 6n });
      await device.expectInLockstep(APP);
      expect(await lost(device)).toEqual({});
    }
    expect(await b.push(APP, [change("main", history[4] as string, history[3] as string)])).toEqual({
      "refs/heads/main": null,
    });
    for (const device of [a, c]) expect(await device.read(APP)).toMatchObject({ version: 7n });
  });

  it("is not decided without need, elsewhere, or for a disk that is not whole", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one, two] = await commits(a);
    await a.push(APP, [change("main", null, two)]);
    await b.read(APP);
    await expect(ask(a, { promote: "repo001" })).rejects.toMatchObject({
      ...REFUSED,
      message: expect.stringContaining("nothing to decide"),
    });
    await expect(ask(a, { promote: "repo002" })).rejects.toMatchObject({
      ...REFUSED,
      message: expect.stringContaining("run this there"),
    });
    await a.git(APP, ["update-ref", "refs/heads/hand", one]);
    await rm(`${a.gitDir(APP)}/objects/${one.slice(0, 2)}/${one.slice(2)}`);
    await expect(ask(a, { promote: "repo001" })).rejects.toMatchObject({ code: "REPLICA_IN_DOUBT" });
  });

  it("the others follow without being asked", async () => {
    await using cluster = await TestCluster.make();
    const { a, b } = await diverged(cluster);
    await settle(a, { promote: "repo001" });
    await using _ = await repaired(b);
    await vi.waitFor(() => expect(b.replica(APP).applied).toBe(3n), SOON);
  });
});
