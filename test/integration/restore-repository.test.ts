// A repository that was removed is restored: with its log and its files, under its name or another one.
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { STATE_DIR } from "../../src/git/root/root-record.ts";
import { startCommand } from "../../src/store/command/commands.ts";
import { listCommands } from "../../src/store/command/find-commands.ts";
import { drainDevice, removeDevice } from "../../src/store/device/devices.ts";
import { readLog } from "../../src/store/log/list-log.ts";
import { listRemoved } from "../../src/store/repository/removals.ts";
import { compareNotes } from "../../src/sync/catch-up/compare-notes.ts";
import { releaseReplica } from "../../src/sync/placement/release-replica.ts";
import {
  APP,
  aside,
  make,
  pushed,
  remove,
  removeOnBoth,
  removeOnly,
  restore,
  restoreOnly,
  runQueue,
} from "../support/removing.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";

describe("a repository that is removed", () => {
  it("is restored with the same version and log, and nothing is fetched", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, id, one } = await pushed(cluster);
    const before = await readLog(a.context.db, id, null, 10);
    await using _a = runQueue(a);
    await using _b = runQueue(b);
    await remove(a, APP);
    for (const device of [a, b]) device.openPack = () => Promise.reject(new Error("nothing is fetched"));
    const { commands } = await restore(b, APP);
    expect(commands).toMatchObject([
      { device: a.name, command: "provision", state: "done" },
      { device: b.name, command: "provision", state: "done" },
    ]);
    for (const device of [a, b]) {
      expect(await device.read(APP)).toMatchObject({ version: 1n, fetched: false });
      expect(await device.refs(APP)).toMatchObject({ "refs/heads/main": one });
      await device.expectInLockstep(APP);
      expect(await aside(device)).toEqual([]);
    }
    expect(await readLog(a.context.db, id, null, 10)).toEqual(before);
    await expect(restore(a, APP)).rejects.toMatchObject({ message: expect.stringContaining("is in service") });
    expect((await restore(a, APP, { id })).commands).toHaveLength(2);
    // Frees nothing: what the removal ordered is superseded.
    expect(await listCommands(a.context.db, { states: ["queued"], limit: 10 })).toEqual([]);
    expect(await cluster.sql("select action, repository from lockstep.audit order by id")).toEqual([
      { action: "remove", repository: APP },
      { action: "restore", repository: APP },
    ]);
  });

  it("is moved aside by a device that was away, and its newest version is restored from there", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, id, one } = await pushed(cluster);
    const two = await b.commit(APP, "two", { parents: [one] });
    await b.push(APP, [change("main", one, two)]);
    await b.crash();
    await removeOnly(a, APP);
    await using _a = runQueue(a);
    const next = await b.restart();
    await compareNotes(next.context);
    {
      await using _b = runQueue(next);
      for (const device of [a, next])
        await vi.waitFor(async () => expect(await aside(device)).toEqual([`${id}.git`]), SOON);
    }
    await restoreOnly(a, APP);
    expect(await next.read(APP)).toMatchObject({ version: 2n });
    expect(await a.read(APP)).toMatchObject({ version: 2n });
    for (const device of [a, next]) await device.expectInLockstep(APP);
  });

  it("is restored before a device that was away has moved anything, also under another name", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, one } = await pushed(cluster);
    await b.crash();
    await using _a = runQueue(a);
    await remove(a, APP);
    await restore(a, APP, { as: "shop" });
    const next = await b.restart();
    next.openPack = () => Promise.reject(new Error("nothing is fetched"));
    await using _b = runQueue(next);
    await vi.waitFor(async () => expect(existsSync(next.gitDir("shop"))).toBe(true), SOON);
    expect(await next.read("shop")).toMatchObject({ version: 1n });
    expect(await next.refs("shop")).toMatchObject({ "refs/heads/main": one });
    await vi.waitFor(
      async () => expect(await listCommands(a.context.db, { states: ["queued", "running"], limit: 10 })).toEqual([]),
      SOON,
    );
    expect(await aside(next)).toEqual([]);
  });

  it("is not released by a command that comes after it was restored", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, one } = await pushed(cluster);
    await removeOnly(a, APP);
    await startCommand(b.context.db, b.context.me, "first", "00000000-0000-4000-8000-000000000001");
    await restoreOnly(a, APP);
    const outcome = await releaseReplica(b.context, b.replica(APP), { keepDays: 14, decided: true });
    expect(outcome).toEqual({ outcome: { released: false }, changed: false });
    expect(await b.read(APP)).toMatchObject({ version: 1n });
    expect(await b.refs(APP)).toMatchObject({ "refs/heads/main": one });
  });

  it.each<[string, boolean]>([
    ["and moved nothing yet", false],
    ["and moved nothing again", true],
  ])("comes back from a device that has not taken its files back since an earlier restore, %s", async (_, moves) => {
    await using cluster = await TestCluster.make();
    const { a, b, id, one } = await pushed(cluster);
    await removeOnBoth(a, b);
    // Nobody carries a command out meanwhile.
    await restoreOnly(a, APP);
    await removeOnly(a, APP);
    if (moves) {
      await using _b = runQueue(b);
      await vi.waitFor(async () => {
        const open = await listCommands(b.context.db, { device: b.name, states: ["queued", "running"], limit: 10 });
        expect(open.filter(({ command }) => command !== "destroy")).toEqual([]);
      }, SOON);
    }
    // The device that wrote the newest version leaves for ever.
    await drainDevice(a.context.db, a.name, "olga");
    await removeDevice(b.context.db, a.name, "olga");
    await restoreOnly(b, APP);
    expect(await b.read(APP)).toMatchObject({ version: 1n });
    expect(b.replica(APP).id).toBe(id);
    expect(await b.refs(APP)).toMatchObject({ "refs/heads/main": one });
    await b.expectInLockstep(APP);
  });

  it("does not count on files that lay aside once their device has found that they are gone", async () => {
    await using cluster = await TestCluster.make();
    const { a, b } = await pushed(cluster);
    await removeOnBoth(a, b);
    await restoreOnly(a, APP);
    await a.crash();
    const kept = () => cluster.sql(`select kept from lockstep.replica where device = '${b.name}'`);
    expect(await kept()).toEqual([{ kept: "1" }]);
    await rm(join(b.root, STATE_DIR, "removed"), { recursive: true });
    const enough = new AbortController();
    const read = b.read(APP, { signal: enough.signal }).catch(() => {});
    await vi.waitFor(async () => expect(await kept()).toEqual([{ kept: "0" }]), SOON);
    enough.abort();
    await read;
  });

  it("is one of several with that name: the newest comes back, or the one with the given id", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, id, one } = await pushed(cluster);
    await using _a = runQueue(a);
    await using _b = runQueue(b);
    await remove(a, APP);
    await make(a, APP);
    await b.read(APP);
    await remove(a, APP);
    const removed = await listRemoved(a.context.db, 10);
    expect(removed).toMatchObject([
      { name: APP, headVersion: 0n, restorable: true, waitsFor: [] },
      { name: APP, headVersion: 1n, id },
    ]);
    await restore(a, APP, { id, as: "first" });
    await restore(a, APP);
    for (const device of [a, b]) {
      expect(await device.read(APP)).toMatchObject({ version: 0n });
      await device.read("first");
      expect(await device.refs("first")).toMatchObject({ "refs/heads/main": one });
    }
    await expect(restore(a, "other", { id })).rejects.toMatchObject({ code: "REPOSITORY_NOT_FOUND" });
  });

  it("is not restored when no device keeps its newest version", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, id } = await pushed(cluster);
    await using _a = runQueue(a);
    await using _b = runQueue(b);
    await remove(a, APP);
    await cluster.sql("update lockstep.replica set version = 0, state = 'destroyed' where repository_id = $1", [id]);
    await expect(restore(a, APP)).rejects.toMatchObject({
      message: expect.stringContaining("no device of the cluster keeps"),
    });
  });

  it("comes back to service by itself when a database of before its removal is restored", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, id, one } = await pushed(cluster);
    const rows = await cluster.sql("select name, trim_at from lockstep.repository where id = $1", [id]);
    await removeOnBoth(a, b);
    await cluster.sql(
      "update lockstep.repository set name = $2, trim_at = $3, removed_name = null, removed_at = null, keep_until = null where id = $1",
      [id, APP, rows[0]?.trim_at],
    );
    await cluster.sql("update lockstep.replica set state = 'active', version = 1, released_at = null, places = '{}'");
    await cluster.sql("delete from lockstep.command");
    const next = await b.restart();
    next.openPack = () => Promise.reject(new Error("nothing is fetched"));
    await compareNotes(next.context);
    expect(await next.read(APP)).toMatchObject({ version: 1n });
    expect(await next.refs(APP)).toMatchObject({ "refs/heads/main": one });
    expect(await aside(next)).toEqual([]);
  });
});
