// Which devices hold what: the rows of new repositories and of new devices.
import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { RepairLoop } from "../../src/queue/repair-loop.ts";
import { listCommands } from "../../src/store/command/find-commands.ts";
import { Database } from "../../src/store/database/database.ts";
import { drainDevice } from "../../src/store/device/devices.ts";
import { placeReplicas } from "../../src/store/replica/placement.ts";
import { replicasOf } from "../../src/store/replica/replicas.ts";
import { createRepository, findRepository, setRepository } from "../../src/store/repository/repositories.ts";
import { keepPlaced } from "../../src/sync/placement/place-replicas.ts";
import { migratedDatabase, type TestDatabase } from "../support/database.ts";
import { repairing } from "../support/repairing.ts";
import { incarnation } from "../support/store-rows.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";

let database: TestDatabase;
let db: Database;
let other: Database;
beforeAll(async () => {
  database = await migratedDatabase();
  db = new Database({ url: database.url, applicationName: "placement" });
  other = new Database({ url: database.url, applicationName: "placement, another device" });
});
afterAll(async () => {
  await db[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const options = { defaultBranch: "main", objectFormat: "sha1" as const };

/** Makes a repository and returns its id. Without devices it is on all. */
async function make(on: Database, devices: string[] = [], minCopies = 1): Promise<{ id: string; name: string }> {
  const name = `r-${randomUUID()}`;
  return { id: (await createRepository(on, { name, devices, minCopies, ...options })).id, name };
}

/** Returns device: state of all replicas of a repository. */
async function states(id: string): Promise<Record<string, string>> {
  return Object.fromEntries((await replicasOf(db, id)).map(({ device, state }) => [device, state]));
}

/** Holds whoever takes the lock of placements in that mode, until the returned function is called. */
async function holdPlacements(): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query("begin");
  await client.query("select pg_advisory_xact_lock(hashtext('lockstep.placement'))");
  return async () => {
    await client.query("commit");
    await client.end();
  };
}

/** Resolves when a statement waits for the lock of placements. */
async function someoneWaits(count = 1): Promise<void> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    await vi.waitFor(async () => {
      const { rows } = await client.query(
        "select from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())",
      );
      expect(rows).toHaveLength(count);
    }, SOON);
  } finally {
    await client.end();
  }
}

describe("a device that registers", () => {
  it("is seen by a repository that is made at that moment", async () => {
    const device = `d-${randomUUID()}`;
    await incarnation(db);
    const release = await holdPlacements();
    const registered = incarnation(other, { device });
    await someoneWaits(1);
    const made = make(db);
    await someoneWaits(2);
    await release();
    await registered;
    // The repository waited behind the device, so it must see the device.
    expect(await states((await made).id)).toHaveProperty(device, "pending");
  });

  it("sees a repository that was being made before it", async () => {
    const device = `d-${randomUUID()}`;
    await incarnation(db);
    const release = await holdPlacements();
    const made = make(db);
    await someoneWaits(1);
    const registered = incarnation(other, { device });
    await someoneWaits(2);
    await release();
    const { id } = await made;
    const me = await registered;
    expect(await states(id)).not.toHaveProperty(device);
    await placeAll(me, 10);
    expect(await states(id)).toHaveProperty(device, "pending");
  });

  it("gets its replicas in short steps that may be repeated, of the repositories on all devices", async () => {
    const first = await incarnation(db);
    const everywhere = await Promise.all(Array.from({ length: 7 }, () => make(db)));
    const elsewhere = await make(db, [first.device]);
    const me = await incarnation(db);
    const { made } = await placeReplicas(db, me, { after: undefined, limit: 3 });
    expect([2, 3]).toContain(made);
    expect((await placeReplicas(db, me, { after: undefined, limit: 3 })).made).toBe(0);
    await placeAll(me, 3);
    for (const { id } of everywhere) expect(await states(id)).toHaveProperty(me.device, "pending");
    expect(await states(elsewhere.id)).toEqual({ [first.device]: "pending" });
  });

  it("gets none while it drains", async () => {
    const keeper = await incarnation(db);
    const { id } = await make(db);
    const me = await incarnation(db);
    await drainDevice(db, me.device, "ada");
    expect(await placeReplicas(db, me, { after: undefined, limit: 1000 })).toEqual({ last: undefined, made: 0 });
    expect(await states(id)).toHaveProperty(keeper.device);
    expect(await states(id)).not.toHaveProperty(me.device);
  });
});

async function placeAll(me: Awaited<ReturnType<typeof incarnation>>, limit: number): Promise<void> {
  for (let after: string | undefined; ; ) {
    const { last } = await placeReplicas(db, me, { after, limit });
    if (last === undefined) return;
    after = last;
  }
}

describe("the placement of a repository", () => {
  it("is all devices, or those that are named", async () => {
    const [one, two] = [await incarnation(db), await incarnation(db)];
    const { id, name } = await make(db, [two.device, one.device, two.device]);
    const named = [one.device, two.device].sort();
    expect((await findRepository(db, name)).placement).toEqual(named);
    expect(Object.keys(await states(id))).toEqual(named);
    const later = await incarnation(db);
    await placeAll(later, 1000);
    expect(Object.keys(await states(id))).toEqual(named);
    expect((await setRepository(db, name, { minCopies: null, landWithFewer: null, placement: null })).placement).toBe(
      null,
    );
    expect(await states(id)).toMatchObject({ [later.device]: "pending" });
  });

  it("leaves the copies that it no longer names to their devices", async () => {
    const [one, two] = [await incarnation(db), await incarnation(db)];
    const { id, name } = await make(db, [one.device, two.device]);
    await setRepository(db, name, { minCopies: null, landWithFewer: null, placement: [one.device] });
    const rows = await replicasOf(db, id);
    expect(rows.find(({ device }) => device === one.device)).toMatchObject({ wanted: true, state: "pending" });
    expect(rows.find(({ device }) => device === two.device)).toMatchObject({ wanted: false, state: "pending" });
  });

  it("is refused where it names no device, an unknown one, or fewer than the copies", async () => {
    const [one, two] = [await incarnation(db), await incarnation(db)];
    const { name } = await make(db, [one.device, two.device], 2);
    const place = (...devices: string[]) =>
      setRepository(db, name, { minCopies: null, landWithFewer: null, placement: devices });
    await expect(place(one.device, "nobody")).rejects.toMatchObject({
      code: "DEVICE_NOT_FOUND",
      message: expect.stringContaining("no device nobody that takes replicas"),
    });
    await expect(place(one.device)).rejects.toMatchObject({ code: "INVALID_REQUEST" });
    await expect(
      setRepository(db, name, { minCopies: 3, landWithFewer: null, placement: [one.device, two.device] }),
    ).rejects.toMatchObject({ code: "INVALID_REQUEST" });
    await expect(setRepository(db, name, { minCopies: 3, landWithFewer: null })).rejects.toMatchObject({
      code: "INVALID_REQUEST",
    });
    expect(await findRepository(db, name)).toMatchObject({ placement: [one.device, two.device].sort(), minCopies: 2 });
    await expect(place("x", "y")).rejects.toMatchObject({ code: "DEVICE_NOT_FOUND" });
    await expect(
      setRepository(db, "never", { minCopies: null, landWithFewer: null, placement: null }),
    ).rejects.toMatchObject({
      code: "REPOSITORY_NOT_FOUND",
    });
  });

  it("counts no device that drains", async () => {
    const [one, two] = [await incarnation(db), await incarnation(db)];
    const { name } = await make(db, [one.device]);
    await drainDevice(db, two.device, "ada");
    await expect(make(db, [two.device])).rejects.toMatchObject({ code: "DEVICE_NOT_FOUND" });
    await expect(
      setRepository(db, name, { minCopies: null, landWithFewer: null, placement: [one.device, two.device] }),
    ).rejects.toMatchObject({ code: "DEVICE_NOT_FOUND" });
    const { id } = await make(db);
    expect(await states(id)).not.toHaveProperty(two.device);
  });
});

it("a device that joins fills without a push or a read, the repositories first that were pushed to last", async () => {
  await using cluster = await TestCluster.make();
  const a = await cluster.start("repo001");
  const names = ["old", "new", "middle"];
  for (const name of names) {
    await cluster.createEverywhere(name, [a]);
    await a.push(name, [change("main", null, await a.commit(name, name))]);
  }
  for (const [name, at] of Object.entries({ old: "2020-01-01", middle: "2021-01-01", new: "2022-01-01" }))
    await cluster.sql(
      "update lockstep.ref_log set landed_at = $2 where repository_id = (select id from lockstep.repository where name = $1)",
      [name, at],
    );
  const b = await cluster.start("repo002");
  await using repairs = repairing(b);
  const stop = new AbortController();
  const context = { ...b.context, signal: AbortSignal.any([b.context.signal, stop.signal]) };
  const placed = keepPlaced(context, () => void repairs.loop.pass());
  await vi.waitFor(async () => {
    const rows = await cluster.sql("select state from lockstep.replica where device = 'repo002'");
    expect(rows).toEqual(names.map(() => ({ state: "active" })));
  }, SOON);
  stop.abort();
  await placed;
  for (const name of names) await b.expectInLockstep(name);
});

it("copies that are missing are asked for by the last push, newest first", async () => {
  await using cluster = await TestCluster.make();
  const a = await cluster.start("repo001");
  for (const name of ["old", "new", "middle"]) await cluster.createEverywhere(name, [a]);
  for (const [name, at] of Object.entries({ old: "2020-01-01", middle: "2021-01-01", new: "2022-01-01" }))
    await cluster.sql("update lockstep.repository set created_at = $2 where name = $1", [name, at]);
  const b = await cluster.start("repo002");
  await placeReplicas(b.context.db, b.context.me, { after: undefined, limit: 10 });
  await new RepairLoop(b.context, () => {}).pass();
  const commands = await listCommands(b.context.db, { device: "repo002", limit: 10 });
  expect(commands.map(({ repository }) => repository).reverse()).toEqual(["new", "middle", "old"]);
});
