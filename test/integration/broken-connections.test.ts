// Connections that break while they lie idle: whoever comes next and may ask twice, does not notice.
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { HEAD } from "../../src/domain.ts";
import { Database, queryOnce, queryRepeatable } from "../../src/store/database/database.ts";
import { readHeads } from "../../src/store/repository/read-heads.ts";
import { getWrite } from "../../src/store/write/find-write.ts";
import { landWrite, stageWrite } from "../../src/store/write/writes.ts";
import { migratedDatabase, type TestDatabase } from "../support/database.ts";
import { create, incarnation, repository, stage } from "../support/store-rows.ts";

let database: TestDatabase;
let db: Database;

beforeAll(async () => {
  database = await migratedDatabase();
  db = new Database({ url: database.url, applicationName: "broken" });
});
afterAll(async () => {
  await db[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

/** Fills the pool with connections that have been used, and ends all of them before this process can hear of it. */
async function breakIdle(pool: Database["work"]): Promise<void> {
  const count = pool.options.max;
  await Promise.all(Array.from({ length: count }, () => queryOnce(pool, "select pg_sleep(0.05)")));
  expect(pool.idleCount).toBe(count);
  const program = `
    import pg from "pg";
    const client = new pg.Client(process.argv[1]);
    await client.connect();
    const ended = () => client.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'lockstep broken %'");
    while ((await ended()).rowCount > 0);
    await client.end();`;
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", program, database.url], { encoding: "utf8" });
  expect(child).toMatchObject({ status: 0, stderr: "" });
  expect(pool.idleCount).toBe(count);
}

it("a statement that may run twice passes over all of them", async () => {
  await breakIdle(db.work);
  const answers = await Promise.all(Array.from({ length: 8 }, () => queryRepeatable(db.work, "select 1 as one")));
  expect(answers.flat()).toEqual(Array.from({ length: 8 }, () => ({ one: 1 })));
});

it("a statement that may not run twice says that its outcome is unknown", async () => {
  await breakIdle(db.work);
  await expect(queryOnce(db.work, "select 1")).rejects.toMatchObject({ code: "DATABASE_UNAVAILABLE" });
});

it("a read and every step of a push go on", async () => {
  const me = await incarnation(db);
  const { id, name } = await repository(db, me);
  await breakIdle(db.reads);
  expect((await readHeads(db, me.device, [name])).byName.get(name)).toMatchObject({ version: 0n });
  await breakIdle(db.work);
  const request = await stage(db, me, id, 0n, [create("refs/heads/main", "a".repeat(40))]);
  await breakIdle(db.work);
  expect(await landWrite(db, me, request)).toEqual({ outcome: "landed", version: 1n });
});

it("a write that is staged twice is staged once", async () => {
  const me = await incarnation(db);
  const { id, name } = await repository(db, me);
  const row = { writeId: randomUUID(), repositoryId: id, base: 0n, author: "ada", names: [HEAD] };
  const first = await stageWrite(db, me, row);
  expect(first.outcome).toBe("staged");
  expect(await stageWrite(db, me, row)).toEqual(first);
  expect(await getWrite(db, name, row.writeId)).toMatchObject({ status: "staged", baseVersion: 0n });
});
