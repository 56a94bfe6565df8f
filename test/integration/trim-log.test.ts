import { access, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { holdAtCrashPoints } from "../../src/crash-points.ts";
import { LockstepError } from "../../src/errors.ts";
import { parseKeep } from "../../src/retention.ts";
import { readLog } from "../../src/store/log/list-log.ts";
import { readUnchangedTips } from "../../src/store/log/unchanged-tips.ts";
import { setKeep, setKeepLog } from "../../src/store/retention/keep-times.ts";
import { claimTrim, trimLog } from "../../src/store/retention/trim-rows.ts";
import { getWrite } from "../../src/store/write/find-write.ts";
import { compareNotes } from "../../src/sync/catch-up/compare-notes.ts";
import { thaw } from "../../src/sync/operator/thaw.ts";
import { trimDatabase } from "../../src/sync/retention/trim-database.ts";
import { administer } from "../support/administer.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";
import { isBump } from "../support/write-rows.ts";

const APP = "team/app";

/** Lands so many versions on a device, each with a new value of main. Returns the commits. */
async function versions(device: TestDevice, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const [parent] = ids.slice(-1);
    const id = await device.commit(APP, `commit ${index}`, { parents: parent ? [parent] : [] });
    await device.push(APP, [change("main", parent ?? null, id)]);
    ids.push(id);
  }
  return ids;
}

/** Trims the log of the repository on this device as if `keep` had been set. */
async function trimTo(device: TestDevice, keep: string): Promise<number> {
  await setKeepLog(device.context.db, APP, parseKeep("log", keep));
  return await trimDatabase(device.context);
}

const inLog = async (cluster: TestCluster) =>
  (await cluster.sql<{ version: string }>("select version from lockstep.ref_log order by version")).map((row) =>
    Number(row.version),
  );
const baseOf = async (cluster: TestCluster) =>
  (await cluster.sql<{ base: string }>("select log_base as base from lockstep.repository"))[0]?.base;
const daysAgo = (cluster: TestCluster, days: number, upTo: number) =>
  cluster.sql("update lockstep.ref_log set landed_at = landed_at - $1 * interval '1 day' where version <= $2", [
    days,
    upTo,
  ]);

describe("the log", () => {
  it("keeps its newest versions, whatever their age, and the refs of the head stay as they are", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    await versions(a, 6);
    expect(await trimTo(a, "2")).toBe(4);
    expect(await inLog(cluster)).toEqual([5, 6]);
    expect(await baseOf(cluster)).toBe("4");
    expect(await cluster.sql("select distinct version from lockstep.ref_log_update order by 1")).toEqual([
      { version: "5" },
      { version: "6" },
    ]);
    for (const device of [a, b]) {
      await device.read(APP);
      await device.expectInLockstep(APP);
    }
  });

  it("keeps versions that are young, however many there are, and never loses the newest one", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    await versions(a, 6);
    expect(await trimTo(a, "1,10d")).toBe(0);
    await daysAgo(cluster, 11, 3);
    expect(await trimTo(a, "1,10d")).toBe(3);
    expect(await inLog(cluster)).toEqual([4, 5, 6]);
    await daysAgo(cluster, 11, 6);
    expect(await trimTo(a, "10d")).toBe(2);
    expect(await inLog(cluster)).toEqual([6]);
    expect(await trimTo(a, "1")).toBe(0);
  });

  it("keeps what the cluster keeps, unless the repository has a time of its own", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const { db } = a.context;
    await versions(a, 5);
    await setKeep(db, "log", "3", "olga");
    await cluster.sql("update lockstep.repository set trim_at = '-infinity'");
    expect(await trimDatabase(a.context)).toBe(2);
    expect(await trimTo(a, "4")).toBe(0);
    await setKeepLog(db, APP, null);
    await setKeep(db, "log", null, "olga");
    expect(await trimDatabase(a.context)).toBe(0);
    expect(await inLog(cluster)).toEqual([3, 4, 5]);
    expect(await cluster.sql("select author, action, detail from lockstep.audit order by id")).toEqual([
      { author: "olga", action: "set retention", detail: { subject: "log", keep: "3" } },
      { author: "olga", action: "set retention", detail: { subject: "log", keep: null } },
    ]);
  });

  it("is looked at again only when something may be due", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    await versions(a, 3);
    await trimTo(a, "2");
    // Soon after something was deleted, in case this device has died over it.
    await cluster.sql("update lockstep.repository set trim_at = '-infinity'");
    await trimDatabase(a.context);
    const next = async () =>
      Number(
        (
          await cluster.sql<{ hours: string }>(
            "select extract(epoch from trim_at - clock_timestamp()) / 3600 as hours from lockstep.repository",
          )
        )[0]?.hours,
      );
    expect(await next()).toBeGreaterThan(19);
    // The oldest version becomes too old in a tenth of a day.
    await daysAgo(cluster, 9.9, 3);
    await setKeepLog(a.context.db, APP, { versions: 1n, days: 10 });
    await trimDatabase(a.context);
    expect(await next()).toBeCloseTo(2.4, 1);
  });

  it("stays whole while an operator has to decide about the repository", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    await versions(a, 3);
    await cluster.sql("update lockstep.repository set stopped = 'test'");
    expect(await trimTo(a, "1")).toBe(0);
    expect(await inLog(cluster)).toEqual([1, 2, 3]);
  });

  it("is trimmed beside pushes, and neither waits for the other", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const ids = await versions(a, 5);
    await b.read(APP);
    b.onStatement = async (text, run) => {
      // Between moving the base and deleting the rows, another device pushes.
      if (!text.includes("trim_log")) return await run();
      b.onStatement = (_, rest) => rest();
      const next = await a.commit(APP, "next", { parents: [ids[4] as string] });
      expect(await a.push(APP, [change("main", ids[4] as string, next)])).toEqual({ "refs/heads/main": null });
      return await run();
    };
    expect(await trimTo(b, "1")).toBe(4);
    await administer(cluster.url, async (client) => {
      const { id } = a.replica(APP);
      await client.query("begin");
      await client.query("select from lockstep.repository for no key update");
      expect(await claimTrim(a.context.db, id, { days: 0 }, 10)).toBeUndefined();
      await trimLog(a.context.db, id, 10);
      await client.query("rollback");
    });
    for (const device of [a, b]) {
      await device.read(APP);
      await device.expectInLockstep(APP);
    }
  });

  it("is trimmed once, whoever does it at the same time", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    await versions(a, 8);
    await setKeepLog(a.context.db, APP, parseKeep("log", "2"));
    const deleted = await Promise.all([a, b, a, b].map((device) => trimDatabase(device.context)));
    expect(deleted.reduce((sum, each) => sum + each)).toBe(6);
    expect(await inLog(cluster)).toEqual([7, 8]);
  });

  it("is trimmed by another device if one dies between the base and the rows", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const ids = await versions(a, 4);
    const hold = join(cluster.dir, "retention.based");
    await writeFile(hold, "");
    holdAtCrashPoints(cluster.dir);
    let killed: Promise<unknown> | undefined;
    try {
      killed = trimTo(b, "1").catch(() => {});
      await vi.waitFor(() => access(`${hold}.reached`), SOON);
      await b.crash();
    } finally {
      await rm(hold);
      await killed;
      holdAtCrashPoints(undefined);
    }
    expect(await baseOf(cluster)).toBe("3");
    expect(await inLog(cluster)).toEqual([1, 2, 3, 4]);
    // Meanwhile everything works: the rows are either there or not.
    const again = await b.restart();
    expect(await again.read(APP)).toMatchObject({ version: 4n });
    const next = await a.commit(APP, "next", { parents: [ids[3] as string] });
    await a.push(APP, [change("main", ids[3] as string, next)]);
    await cluster.sql("update lockstep.repository set trim_at = '-infinity'");
    expect(await trimDatabase(a.context)).toBe(4);
    expect(await inLog(cluster)).toEqual([5]);
  });
});

describe("a replica that is older than the log", () => {
  it("takes all refs of the head, and goes on from there", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const ids = await versions(a, 2);
    await b.read(APP);
    await versionsFrom(a, ids, 4);
    await trimTo(a, "1");
    expect(await b.read(APP)).toMatchObject({ version: 6n });
    await b.expectInLockstep(APP);
    await versionsFrom(a, ids, 1);
    expect(await b.read(APP)).toMatchObject({ version: 7n });
    await b.expectInLockstep(APP);
  });

  it("is no sign of a database that lost writes, neither at its start nor later", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const ids = await versions(a, 2);
    await b.read(APP);
    await b.crash();
    await versionsFrom(a, ids, 3);
    await trimTo(a, "1");
    const again = await b.restart();
    await compareNotes(again.context);
    expect(await cluster.sql("select stopped from lockstep.repository")).toEqual([{ stopped: null }]);
    expect(await again.read(APP)).toMatchObject({ version: 5n });
    await again.expectInLockstep(APP);
    // Its refs were those of main, which the new ones hold.
    expect(await again.git(APP, ["for-each-ref", "refs/lockstep/"])).toBe("");
  });

  it("keeps refs that the log may never have known, before it follows", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const ids = await versions(a, 1);
    await b.read(APP);
    // b alone has version 2, which the database then loses with its number.
    const lost = await b.commit(APP, "lost", { parents: [ids[0] as string] });
    await b.push(APP, [change("main", ids[0] as string, lost)]);
    await b.expectInLockstep(APP);
    await b.crash();
    await forgetHead(cluster);
    const again = await a.restart();
    const others = await versionsFrom(again, ids, 3);
    await trimTo(again, "1");
    const back = await b.restart();
    expect(await back.read(APP)).toMatchObject({ version: 4n });
    await back.expectInLockstep(APP);
    expect(await back.git(APP, ["for-each-ref", "--format=%(refname) %(objectname)", "refs/lockstep/"])).toBe(
      `refs/lockstep/lost/4/heads/main ${lost}`,
    );
    expect(others).toHaveLength(3);
  });

  it("cannot be what a demotion goes back to: an operator is told so", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const ids = await versions(a, 2);
    await b.read(APP);
    await versionsFrom(a, ids, 3);
    await vi.waitFor(
      async () =>
        expect(await cluster.sql("select version from lockstep.replica where device = 'repo001'")).toEqual([
          { version: "5" },
        ]),
      SOON,
    );
    await trimTo(a, "2");
    await a.stop();
    const plan = thaw(b.context, {
      repository: APP,
      action: { demote: ["repo001"] },
      confirmation: "",
      author: "olga",
      signal: AbortSignal.timeout(SOON.timeout),
    });
    await expect(plan).rejects.toMatchObject({
      code: "THAW_REFUSED",
      message: expect.stringMatching(
        /version 2, which repo002 holds, perhaps because it has been trimmed since; .*--promote/,
      ),
    });
  });

  it("names no tips to a source that it may not have", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    await versions(a, 4);
    const tips = async (since: bigint) => await readUnchangedTips(a.context.db, a.replica(APP).id, since, 9);
    expect(await tips(4n)).toHaveLength(1);
    await trimTo(a, "1");
    expect(await tips(2n)).toEqual([]);
    expect(await tips(4n)).toHaveLength(1);
  });

  it("still learns which refs an operator gave up", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const ids = await versions(a, 1);
    await b.read(APP);
    const given = await a.commit(APP, "given up", { parents: [ids[0] as string] });
    await a.push(APP, [change("main", ids[0] as string, given)]);
    await a.expectInLockstep(APP);
    await a.stop();
    const request = {
      repository: APP,
      action: { demote: ["repo001"] },
      author: "olga",
      signal: AbortSignal.timeout(SOON.timeout),
    };
    const { confirmation } = await thaw(b.context, { ...request, confirmation: "" });
    await thaw(b.context, { ...request, confirmation });
    await versionsFrom(b, ids, 3);
    await trimTo(b, "1");
    expect(await inLog(cluster)).toEqual([3, 6]);
    const back = await a.restart();
    expect(await back.read(APP)).toMatchObject({ version: 6n });
    expect(await back.git(APP, ["for-each-ref", "--format=%(refname) %(objectname)", "refs/lockstep/"])).toBe(
      `refs/lockstep/lost/3/heads/main ${given}`,
    );
  });
});

/** Lands further versions of main. */
async function versionsFrom(device: TestDevice, ids: string[], count: number): Promise<string[]> {
  const made: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const parent = ids.at(-1) as string;
    const id = await device.commit(APP, `further ${ids.length}`, { parents: [parent] });
    expect(await device.push(APP, [change("main", parent, id)])).toEqual({ "refs/heads/main": null });
    ids.push(id);
    made.push(id);
  }
  return made;
}

/** Sets the database back to version 1, as after a fail-over that lost version 2. */
async function forgetHead(cluster: TestCluster): Promise<void> {
  const { loseWrites } = await import("../support/lose-writes.ts");
  await loseWrites(cluster, APP, 1n);
}

describe("a write that was decided", () => {
  it("goes after its time; staged ones stay", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    await versions(a, 3);
    await a.expectInLockstep(APP);
    const [old] = await cluster.sql<{ id: string }>("select id from lockstep.write where version = 1");
    await cluster.sql("update lockstep.write set decided_at = decided_at - interval '31 days' where version <= 2");
    await cluster.sql(
      `insert into lockstep.write (id, repository_id, device, fence, author, base_version, started_at)
       select gen_random_uuid(), id, 'repo001', 0, 'ada', 3, '-infinity' from lockstep.repository`,
    );
    expect(await trimDatabase(a.context)).toBe(2);
    expect(await cluster.sql("select status, version from lockstep.write order by version")).toEqual([
      { status: "landed", version: "3" },
      { status: "staged", version: null },
    ]);
    await expect(getWrite(a.context.db, APP, old?.id ?? "")).rejects.toMatchObject({ code: "WRITE_NOT_FOUND" });
    // The log still has it.
    expect(await readLog(a.context.db, a.replica(APP).id, null, 9)).toHaveLength(3);
  });

  it("stays, however old, while its device does not know the outcome: the pusher is told the truth", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    let ask = () => {};
    const mayAsk = new Promise<void>((resolve) => {
      ask = resolve;
    });
    let landed = () => {};
    const hasLanded = new Promise<void>((resolve) => {
      landed = resolve;
    });
    a.onStatement = async (text, run) => {
      if (text.includes("settle_write")) await mayAsk;
      const answer = await run();
      if (!isBump(text)) return answer;
      landed();
      throw new LockstepError("DATABASE_UNAVAILABLE", "the answer was lost");
    };
    const pushing = a.push(APP, [change("main", null, one)]);
    await hasLanded;
    // The clock of the database jumps by years, and other devices go on.
    await b.read(APP);
    const ids = [one];
    await versionsFrom(b, ids, 3);
    await cluster.sql("update lockstep.write set decided_at = '-infinity' where decided_at is not null");
    await trimTo(b, "1");
    expect(await inLog(cluster)).toEqual([4]);
    ask();
    expect(await pushing).toEqual({ "refs/heads/main": null });
    a.onStatement = (_, run) => run();
    expect(await a.read(APP)).toMatchObject({ version: 4n });
    await a.expectInLockstep(APP);
    // Now it knows.
    await trimDatabase(b.context);
    expect(await cluster.sql("select version from lockstep.write")).toEqual([]);
  });
});
