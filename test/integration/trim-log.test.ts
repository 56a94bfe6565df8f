import { access, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { holdAtCrashPoints } from "../../src/crash-points.ts";
import { setKeep, setKeepLog } from "../../src/store/retention/keep-times.ts";
import { parseKeep } from "../../src/store/retention/subjects.ts";
import { claimTrim, trimLog } from "../../src/store/retention/trim-rows.ts";
import { trimDatabase } from "../../src/sync/retention/trim-database.ts";
import { administer } from "../support/administer.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";
import { APP, inLog, trimTo, versions } from "../support/trimming.ts";

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
