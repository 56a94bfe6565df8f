// A repository is removed: out of service at once, its files aside, and deleted when its time is over.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { listStatus } from "../../src/store/operator/status.ts";
import { listRemoved } from "../../src/store/repository/removals.ts";
import { getWrite } from "../../src/store/write/find-write.ts";
import { landWrite, settleWrite } from "../../src/store/write/writes.ts";
import { scanRoot } from "../../src/sync/adopt/scan-root.ts";
import { renameRepository } from "../../src/sync/naming/rename-repository.ts";
import { trimDatabase } from "../../src/sync/retention/trim-database.ts";
import { endScratch, endSessions } from "../../src/sync/session/end-sessions.ts";
import {
  APP,
  aside,
  make,
  pushed,
  remove,
  removedError,
  removeOnly,
  restore,
  restoreOnly,
  runQueue,
} from "../support/removing.ts";
import { beginSession, bumpSession } from "../support/sessions.ts";
import { create, stage } from "../support/store-rows.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";

describe("a repository that is removed", () => {
  it("is out of service on every device at once, its files lie aside, and its name is free", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, id, one } = await pushed(cluster);
    await removeOnly(b, APP);
    // No device has done anything yet.
    for (const device of [a, b]) {
      await expect(device.read(APP)).rejects.toMatchObject(removedError(APP));
      await expect(device.read(APP, { forPush: true })).rejects.toMatchObject(removedError(APP));
      await expect(beginSession(device, APP)).rejects.toMatchObject(removedError(APP));
    }
    expect(await listStatus(a.context.db, 10)).toEqual([]);
    expect(await listRemoved(a.context.db, 10)).toMatchObject([
      { id, name: APP, headVersion: 1n, waitsFor: [a.name, b.name] },
    ]);
    await scanRoot(a.context);
    expect(await cluster.sql("select path from lockstep.unknown_directory")).toEqual([]);
    await using _a = runQueue(a);
    await using _b = runQueue(b);
    // The same call again waits for the devices.
    const { commands } = await remove(a, APP, { id });
    expect(commands).toMatchObject([
      { device: a.name, command: "release", state: "done", outcome: { released: true } },
      { device: b.name, command: "release", state: "done" },
    ]);
    for (const device of [a, b]) {
      expect(await aside(device)).toEqual([`${id}.git`]);
      expect(existsSync(device.gitDir(APP))).toBe(false);
      expect(existsSync(join(device.context.root, "team"))).toBe(false);
    }
    await make(a, APP);
    expect(await b.read(APP)).toMatchObject({ version: 0n });
    expect(await b.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main" });
    await expect(restore(a, APP)).rejects.toMatchObject({
      code: "REPOSITORY_EXISTS",
      message: expect.stringContaining(`repo restore ${APP} --as NEW`),
    });
    await restore(a, APP, { as: "old/app" });
    for (const device of [a, b]) {
      expect(await device.read("old/app")).toMatchObject({ version: 1n });
      expect(await device.refs("old/app")).toMatchObject({ "refs/heads/main": one });
      await device.expectInLockstep("old/app");
      expect(await device.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main" });
    }
  });

  it("refuses a push that is under way and comes later, and a restore brings back every acknowledged one", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, id, one } = await pushed(cluster);
    const { db, me } = a.context;
    const late = await stage(db, me, id, 1n, [create("refs/heads/late", one)]);
    const two = await b.commit(APP, "two", { parents: [one] });
    // Another device acknowledges a version that this one never hears of.
    expect(await b.push(APP, [change("main", one, two)])).toEqual({ "refs/heads/main": null });
    const stale = await stage(db, me, id, 2n, [create("refs/heads/stale", one)]);
    await removeOnly(b, APP);
    expect(await landWrite(db, me, stale)).toEqual({ outcome: "missing" });
    expect(await settleWrite(db, me, late, "late")).toEqual({
      status: "dropped",
      reason: "the repository was removed",
    });
    await expect(a.push(APP, [change("topic", null, one)])).rejects.toMatchObject(removedError(APP));
    await expect(stage(db, me, id, 2n, [create("refs/heads/new", one)])).rejects.toThrow("the write is missing");
    // Nor does one land that was staged where the removal could not see it.
    await cluster.sql(
      "update lockstep.write set status = 'staged', decided_at = null, drop_reason = null where id = $1",
      [stale.writeId],
    );
    expect(await landWrite(db, me, stale)).toEqual({ outcome: "missing" });
    expect(await getWrite(db, APP, stale.writeId)).toMatchObject({ status: "staged" });
    await cluster.sql(
      "update lockstep.write set status = 'dropped', decided_at = now(), drop_reason = '' where id = $1",
      [stale.writeId],
    );
    await restoreOnly(a, APP);
    for (const device of [b, a]) {
      expect(await device.read(APP)).toMatchObject({ version: 2n });
      expect(await device.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main", "refs/heads/main": two });
    }
  });

  it("is kept apart from a new repository of its name, though a device was away and meets the new one first", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, id, one } = await pushed(cluster);
    await b.crash();
    cluster.devices.delete(b.name);
    await using _a = runQueue(a);
    await removeOnly(a, APP);
    await vi.waitFor(async () => expect(await aside(a)).toEqual([`${id}.git`]), SOON);
    await make(a, APP);
    const first = await a.commit(APP, "first");
    await a.push(APP, [change("main", null, first)]);
    const next = await b.restart();
    expect(await next.read(APP)).toMatchObject({ version: 1n });
    expect(await next.refs(APP)).toMatchObject({ "refs/heads/main": first });
    await using _b = runQueue(next);
    await vi.waitFor(async () => expect(await aside(next)).toEqual([`${id}.git`]), SOON);
    next.openPack = () => Promise.reject(new Error("nothing is fetched"));
    await restore(a, APP, { as: "old" });
    expect(await next.read("old")).toMatchObject({ version: 1n });
    expect(await next.refs("old")).toMatchObject({ "refs/heads/main": one });
    expect(await next.read(APP)).toMatchObject({ version: 1n });
    for (const name of [APP, "old"]) await next.expectInLockstep(name);
  });

  it("drops its open session, and keeps the changes of that session if it is restored", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, one } = await pushed(cluster);
    const session = await beginSession(a, APP);
    execFileSync("git", ["update-ref", "refs/heads/web", one], { env: { ...process.env, GIT_DIR: session.path } });
    await using _a = runQueue(a);
    await using _b = runQueue(b);
    void endSessions(a.context);
    await remove(b, APP);
    await expect(bumpSession(a, APP, session.token)).rejects.toThrow();
    expect(await aside(a)).toHaveLength(1);
    expect(existsSync(session.path)).toBe(true);
    await restore(b, APP);
    await vi.waitFor(async () => expect(existsSync(session.path)).toBe(false), SOON);
    const kept = await a.git(APP, ["for-each-ref", "--format=%(refname)", `refs/lockstep/dropped/${session.writeId}/`]);
    expect(kept.trim()).toMatch(/web$/);
  });

  it("keeps those changes also if the session's outcome was trimmed meanwhile and another repository has its name", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, id, one } = await pushed(cluster);
    const { path, writeId } = await beginSession(a, APP);
    execFileSync("git", ["update-ref", "refs/heads/web", one], { env: { ...process.env, GIT_DIR: path } });
    await using _a = runQueue(a);
    await using _b = runQueue(b);
    await remove(b, APP, { keepDays: 90 });
    await cluster.sql("update lockstep.write set decided_at = decided_at - interval '31 days'");
    expect(await trimDatabase(b.context)).toBe(2);
    await make(a, APP);
    expect(await endScratch(a.context, writeId, APP)).toEqual([]);
    expect(existsSync(path)).toBe(true);
    await restore(b, APP, { id, as: "old" });
    const kept = `refs/lockstep/dropped/${writeId}/heads/web`;
    expect(await endScratch(a.context, writeId, APP)).toEqual([kept]);
    expect(await a.git("old", ["rev-parse", kept])).toBe(one);
    expect(await a.git(APP, ["for-each-ref", "refs/lockstep/"])).toBe("");
    expect(existsSync(path)).toBe(false);
  });

  it("frees a replica on whose files a session works", async () => {
    await using cluster = await TestCluster.make();
    const { a, b } = await pushed(cluster);
    await beginSession(a, APP, { live: true });
    await using _a = runQueue(a);
    await using _b = runQueue(b);
    const { commands } = await remove(b, APP);
    expect(commands.map(({ state }) => state)).toEqual(["done", "done"]);
    expect(await aside(a)).toHaveLength(1);
  });

  it("is removed once by two calls at once; a rename and a restore at the same time come before or after", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, id } = await pushed(cluster);
    await using _a = runQueue(a);
    await using _b = runQueue(b);
    const twice = await Promise.allSettled([remove(a, APP), remove(b, APP)]);
    const orders = twice.flatMap((each) =>
      each.status === "fulfilled" ? [each.value.commands.map(({ id }) => id)] : [],
    );
    // The later call may come when the repository is gone.
    for (const each of twice)
      if (each.status === "rejected") expect(each.reason).toMatchObject({ code: "REPOSITORY_NOT_FOUND" });
    expect(orders.length).toBeGreaterThan(0);
    for (const order of orders) expect(order).toEqual(orders[0]);
    await restore(a, APP);
    const request = { repository: APP, newName: "shop", author: "ada", reason: "" };
    const [removed, renamed] = await Promise.allSettled([
      remove(a, APP),
      renameRepository(b.context, request, AbortSignal.timeout(SOON.timeout)),
    ]);
    expect([removed.status, renamed.status].sort()).toEqual(["fulfilled", "rejected"]);
    const name = removed.status === "fulfilled" ? APP : "shop";
    if (removed.status === "rejected") await remove(a, "shop");
    const [again, restored] = await Promise.allSettled([remove(a, name, { id }), restore(b, name)]);
    expect(again.status).toBe("fulfilled");
    expect(restored.status).toBe("fulfilled");
    const isThere = (await listRemoved(a.context.db, 10)).length === 0;
    if (!isThere) await restore(a, name);
    for (const device of [a, b]) {
      await vi.waitFor(async () => expect(await device.read(name)).toMatchObject({ version: 1n }), SOON);
      await device.expectInLockstep(name);
    }
  });
});
