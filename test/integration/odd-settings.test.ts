// A role, a database or a server may have any setting as its default: each statement brings along what it needs, and
// what would make it wrong is refused before anything is served.
import { describe, expect, it } from "vitest";
import { Database, queryOnce } from "../../src/store/database/database.ts";
import { inspectDatabase, migrate } from "../../src/store/database/migrate.ts";
import { listDevices } from "../../src/store/device/devices.ts";
import { readLog } from "../../src/store/log/list-log.ts";
import { recordFailure } from "../../src/store/replica/record-replica.ts";
import { replicasOf } from "../../src/store/replica/replicas.ts";
import { recentSyncs } from "../../src/store/replica/sync-events.ts";
import { getWrite, listStaged } from "../../src/store/write/find-write.ts";
import { beginSession, renewSession, sessionEnds } from "../../src/store/write/sessions.ts";
import { listTickets, takeTurn, turnHolder } from "../../src/store/write/turns.ts";
import { listWriteStops, stopNewWrites } from "../../src/store/write/write-stops.ts";
import { landWrite } from "../../src/store/write/writes.ts";
import { administer } from "../support/administer.ts";
import { createDatabase, migratedDatabase } from "../support/database.ts";
import { setDefaults } from "../support/database-defaults.ts";
import { HARMLESS } from "../support/odd-defaults.ts";
import { create, incarnation, repository, stage } from "../support/store-rows.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change } from "../support/sync-device.ts";

const APP = "team/app";

const MINUTE_MS = 60_000;

describe("where the defaults of the database are odd", () => {
  it.each(["serializable", "repeatable read"])("twelve pushes at once all land (%s)", async (isolation) => {
    await using cluster = await TestCluster.make();
    await setDefaults(cluster.url, { default_transaction_isolation: `'${isolation}'` });
    const pair = await cluster.pair(APP);
    const tips = await Promise.all(pair.map((device) => device.commit(APP, "tip")));
    const pushes = Array.from({ length: 12 }, (_, index) => {
      const name = `branch-${index}`;
      return pair[index % 2]?.push(APP, [change(name, null, tips[index % 2] as string)]);
    });
    const reports = await Promise.all(pushes);
    expect(reports).toEqual(pushes.map((_, index) => ({ [`refs/heads/branch-${index}`]: null })));
    for (const device of pair) {
      await device.read(APP);
      await device.expectInLockstep(APP);
    }
  });

  it("a schema is made, refs of any bytes are pushed and followed", async () => {
    await using cluster = await TestCluster.make();
    await setDefaults(cluster.url, HARMLESS);
    const [a, b] = await cluster.pair(APP);
    const [one, two] = await a.history(APP);
    const strange = `refs/heads/caf\xe9'"x{,}`;
    const author = "Zoë \\ 'Ž'";
    await a.push(APP, [change(strange, null, one), change("main", null, one)], { author });
    await a.push(APP, [change("main", one, two)], { author });
    await b.read(APP);
    await b.expectInLockstep(APP);
    const [row] = await cluster.sql<{ id: string }>("select id from lockstep.repository");
    const [newest, oldest] = await readLog(b.context.db, row?.id as string, null, 10);
    expect(newest).toMatchObject({ author, updates: [{ name: "refs/heads/main", oldValue: one, newValue: two }] });
    expect(oldest?.updates.map(({ name }) => name)).toContain(strange);
  });

  it("migrate makes the schema under odd defaults", async () => {
    await using database = await createDatabase();
    await setDefaults(database.url, HARMLESS);
    expect(await migrate(database.url)).toMatchObject({ from: 0 });
    expect((await inspectDatabase(database.url)).aheadMs).toBeLessThan(MINUTE_MS);
  });

  it("every time is the same under odd defaults", async () => {
    await using database = await migratedDatabase();
    await setDefaults(database.url, HARMLESS);
    await using db = new Database({ url: database.url, applicationName: "odd" });
    const me = await incarnation(db);
    const { id, name } = await repository(db, me);
    const writeId = "11111111-1111-4111-8111-111111111111";
    const ticket = { repositoryId: id, writeId, author: "ada", reason: "r", caller: "frontend web" };
    await takeTurn(db, me, ticket);
    await beginSession(db, me, { ...ticket, tokenHash: Buffer.alloc(32) });
    const failure = { error: "e", broken: false, fromVersion: 0n, version: 0n, durationMs: 1 };
    await recordFailure(db, me, id, failure);
    await stopNewWrites(db, [null], { author: "ada", reason: "r" });
    const [device] = await listDevices(db);
    const write = await getWrite(db, name, writeId);
    const times = {
      startedAt: device?.startedAt,
      updatedAt: (await replicasOf(db, id))[0]?.updatedAt,
      expiresAt: await renewSession(db, me, writeId),
      syncedAt: (await recentSyncs(db, id, 1))[0]?.at,
      holderSince: (await turnHolder(db, id))?.since,
      ticketSince: (await listTickets(db, id))[0]?.since,
      lockedSince: (await listWriteStops(db))[0]?.since,
      writeStartedAt: write.startedAt,
      stagedAt: (await listStaged(db, null))[0]?.startedAt,
    };
    for (const [what, time] of Object.entries(times))
      expect([what, Math.abs((time?.getTime() ?? 0) - Date.now()) < MINUTE_MS]).toEqual([what, true]);
    expect([device?.awaySince, write.decidedAt]).toEqual([null, null]);
    expect((await listTickets(db, id))[0]?.waitedMs).toBeLessThan(MINUTE_MS);
    expect((await sessionEnds(db, [writeId])).get(writeId)?.heldMs).toBeLessThan(MINUTE_MS);
  });

  it("a statement that answers with a time as text is a mistake that nobody overlooks", async () => {
    await using database = await migratedDatabase();
    await using db = new Database({ url: database.url, applicationName: "odd" });
    for (const type of ["timestamptz", "timestamp", "date"])
      await expect(queryOnce(db.work, `select now()::${type} as at`)).rejects.toThrow(TypeError);
    await expect(queryOnce(db.work, "select interval '1 day' as age")).rejects.toThrow(TypeError);
  });
});

it("plans that are made anew each time land and follow pushes too", async () => {
  await using cluster = await TestCluster.make();
  await setDefaults(cluster.url, { plan_cache_mode: "force_custom_plan", jit: "on", jit_above_cost: "0" });
  const [a, b] = await cluster.pair(APP);
  await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
  await b.read(APP);
  await b.expectInLockstep(APP);
});

it("a database in SQL_ASCII keeps every text and every name", async () => {
  await using database = await createDatabase();
  const name = new URL(database.url).pathname.slice(1);
  await administer(database.url.replace(`/${name}`, "/postgres"), async (client) => {
    await client.query(`drop database ${name}`);
    await client.query(`create database ${name} encoding 'SQL_ASCII' template template0 lc_collate 'C' lc_ctype 'C'`);
  });
  await migrate(database.url);
  await using db = new Database({ url: database.url, applicationName: "odd" });
  const me = await incarnation(db);
  const { id } = await repository(db, me);
  const request = await stage(db, me, id, 0n, [create("refs/heads/caf\xe9", "a".repeat(40))]);
  await landWrite(db, me, request);
  await stopNewWrites(db, [null], { author: "Zoë", reason: "für Ж" });
  expect(await listWriteStops(db)).toMatchObject([{ author: "Zoë", reason: "für Ж" }]);
  expect((await readLog(db, id, null, 1))[0]?.updates).toMatchObject([{ name: "refs/heads/caf\xe9" }]);
});

it("an event trigger of somebody else's that forbids what migrate does is named in a sentence", async () => {
  await using database = await createDatabase();
  await administer(database.url, async (client) => {
    await client.query(`create function public.forbid() returns event_trigger language plpgsql as
      $$ begin raise exception 'no tables here'; end $$`);
    await client.query("create event trigger forbid on ddl_command_start execute function public.forbid()");
  });
  await expect(migrate(database.url)).rejects.toMatchObject({
    code: "PREREQUISITE_MISSING",
    message: expect.stringMatching(/^The database refuses this \(no tables here\); a trigger .*\.$/),
  });
});
