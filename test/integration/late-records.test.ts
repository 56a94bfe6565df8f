// Statements about the version of a replica that reach the server after their connection broke.
import { expect, it, vi } from "vitest";
import { Database, queryOnce } from "../../src/store/database/database.ts";
import { recordVersion, reviseVersions } from "../../src/store/replica/record-replica.ts";
import { readRecord } from "../../src/store/replica/replicas.ts";
import { databaseProxy } from "../support/database-proxy.ts";
import { database, db, elsewhere } from "../support/file-database.ts";
import { latch } from "../support/latch.ts";
import { id, land, makeReplicaRows, me } from "../support/replica-rows.ts";
import { SOON } from "../support/sync-device.ts";

makeReplicaRows();

/** Part of the text of `recordVersion`, and of no other statement. */
const RECORD = "coalesce(l.digest, r.head_digest)";

/** Nobody gives up: the statement comes. */
const NEVER = new AbortController().signal;

/** Returns how many of these statements run, and how many of those wait for a lock. */
async function running(): Promise<{ all: bigint; waiting: bigint }> {
  const [found] = await queryOnce<{ all: bigint; waiting: bigint }>(
    elsewhere.work,
    `select count(*) as all, count(*) filter (where wait_event_type = 'Lock') as waiting
     from pg_stat_activity where state = 'active' and pid <> pg_backend_pid() and query like '%' || $1 || '%'`,
    [RECORD],
  );
  return found!;
}

/** Runs `act` after a record of version 1 whose statement comes to the server once more, late. Waits until it has run. */
async function beforeLateRecord(act: () => Promise<void>): Promise<void> {
  await using proxy = await databaseProxy(database.url);
  await using through = new Database({ url: proxy.url, applicationName: "late" });
  await queryOnce(through.work, "select 1");
  const { opened, open } = latch();
  const late = proxy.holdUp(RECORD, () => opened, "is cut off", NEVER);
  await recordVersion(through, me, id, 1n, null);
  await act();
  const client = await db.work.connect();
  try {
    await client.query("begin");
    await client.query("lock table lockstep.replica in access exclusive mode");
    open();
    expect(await late).toBe(true);
    await vi.waitFor(async () => expect(await running()).toEqual({ all: 1n, waiting: 1n }), SOON);
    await client.query("commit");
  } finally {
    client.release(true);
  }
  await vi.waitFor(async () => expect(await running()).toEqual({ all: 0n, waiting: 0n }), SOON);
}

it("a record that comes late does not raise a version that was lowered meanwhile", async () => {
  await land(0n);
  await beforeLateRecord(() => reviseVersions(db, me, [{ repositoryId: id, version: 0n }]));
  expect((await readRecord(db, "mine", id)).version).toBe(0n);
});

it("a record that comes late does not raise a version that was not recorded yet when the files were gone", async () => {
  await land(0n);
  await beforeLateRecord(async () => {
    await queryOnce(db.work, "update lockstep.replica set version = 0");
    await reviseVersions(db, me, [{ repositoryId: id, version: 0n }]);
  });
  expect((await readRecord(db, "mine", id)).version).toBe(0n);
});

it("a record that is overtaken by that of a newer version is no error", async () => {
  await land(0n);
  await land(1n);
  await using proxy = await databaseProxy(database.url);
  await using through = new Database({ url: proxy.url, applicationName: "late" });
  await queryOnce(through.work, "select 1");
  const { opened, open } = latch();
  const late = proxy.holdUp(RECORD, () => opened, "waits", NEVER);
  const overtaken = recordVersion(through, me, id, 1n, null);
  await recordVersion(db, me, id, 2n, null);
  open();
  expect(await late).toBe(true);
  await overtaken;
  expect((await readRecord(db, "mine", id)).version).toBe(2n);
});

it("a record that comes late and once more changes nothing", async () => {
  await land(0n);
  await beforeLateRecord(async () => {});
  expect((await readRecord(db, "mine", id)).version).toBe(1n);
});
