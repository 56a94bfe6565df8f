import pg from "pg";
import { describe, expect, it, vi } from "vitest";
import { Database, queryOnce } from "../../src/store/database/database.ts";
import { knownSchemaLevel, migrate } from "../../src/store/database/migrate.ts";
import { administer } from "../support/administer.ts";
import { createDatabase, migratedDatabase } from "../support/database.ts";
import { soon } from "../support/soon.ts";

const KNOWN = knownSchemaLevel();
const WAIT = soon(5);

/** What is in the schema: tables, indexes, sequences and functions. */
async function schemaOf(url: string): Promise<string[]> {
  const { rows } = await administer(url, (client) =>
    client.query<{ name: string }>(
      `select relkind::text || ' ' || relname as name from pg_class where relnamespace = to_regnamespace('lockstep')
       union all
       select 'function ' || proname from pg_proc where pronamespace = to_regnamespace('lockstep') order by 1`,
    ),
  );
  return rows.map(({ name }) => name);
}

async function setLevel(url: string, level: number, compatibleFrom: number): Promise<void> {
  const text = "update lockstep.schema_level set level = $1, compatible_from = $2";
  await administer(url, (client) => client.query(text, [level, compatibleFrom]));
}

/** Keeps every migration of the database waiting in the middle of its work, at a table that another is making. */
async function obstacle(
  url: string,
): Promise<{ remove(): Promise<void>; blocked(): Promise<number> } & AsyncDisposable> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query("create schema lockstep");
  await client.query("begin");
  await client.query("create table lockstep.sync_event ()");
  return {
    remove: async () => void (await client.query("rollback")),
    blocked: () =>
      vi.waitUntil(async () => {
        const { rows } = await client.query<{ pid: number }>(
          "select pid from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))",
        );
        return rows[0]?.pid;
      }, WAIT),
    [Symbol.asyncDispose]: () => client.end(),
  };
}

describe("migrate", () => {
  it("brings an empty database to this program's level, and finds nothing to do afterwards", async () => {
    await using database = await createDatabase();
    expect(await migrate(database.url)).toEqual({ from: 0, to: KNOWN });
    const schema = await schemaOf(database.url);
    expect(schema).toEqual(expect.arrayContaining(["r ref_log", "r schema_level", "function bump"]));
    expect(await migrate(database.url)).toEqual({ from: KNOWN, to: KNOWN });
    expect(await schemaOf(database.url)).toEqual(schema);
  });

  it("happens once when several ask for it at the same time", async () => {
    await using database = await createDatabase();
    const answers = await Promise.all(Array.from({ length: 4 }, () => migrate(database.url)));
    expect(answers.filter(({ from }) => from === 0)).toEqual([{ from: 0, to: KNOWN }]);
    expect(answers.filter(({ from }) => from === KNOWN)).toHaveLength(3);
    const { rows } = await administer(database.url, (client) => client.query("select name from lockstep.migration"));
    expect(rows.length).toBeGreaterThan(0);
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
  });

  it("waits for another migration that is under way", async () => {
    await using database = await createDatabase();
    await using inTheWay = await obstacle(database.url);
    const first = migrate(database.url);
    await inTheWay.blocked();
    const second = migrate(database.url);
    await vi.waitUntil(async () => {
      const text =
        "select 1 from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())";
      return (await administer(database.url, (client) => client.query(text))).rows.length === 1;
    }, WAIT);
    await inTheWay.remove();
    expect(await first).toEqual({ from: 0, to: KNOWN });
    expect(await second).toEqual({ from: KNOWN, to: KNOWN });
  });

  it("leaves nothing when it is killed, and the next run does all of it", async () => {
    await using database = await createDatabase();
    await using inTheWay = await obstacle(database.url);
    const killed = expect(migrate(database.url)).rejects.toMatchObject({ code: "DATABASE_UNAVAILABLE" });
    const pid = await inTheWay.blocked();
    await administer(database.url, (client) => client.query("select pg_terminate_backend($1)", [pid]));
    await killed;
    await inTheWay.remove();
    expect(await schemaOf(database.url)).toEqual([]);
    expect(await migrate(database.url)).toEqual({ from: 0, to: KNOWN });
  });

  it("leaves nothing when it fails, and says why", async () => {
    await using database = await createDatabase();
    await administer(database.url, async (client) => {
      await client.query("create schema lockstep");
      await client.query("create view lockstep.sync_event as select 1");
    });
    await expect(migrate(database.url)).rejects.toThrow(/sync_event/);
    expect(await schemaOf(database.url)).toEqual(["v sync_event"]);
  });

  it("from an older level replaces every function, also one whose parameters have changed", async () => {
    await using database = await migratedDatabase();
    const schema = await schemaOf(database.url);
    await administer(database.url, async (client) => {
      await client.query("drop function lockstep.turn_holder(uuid)");
      await client.query("create function lockstep.turn_holder(p_old text) returns int language sql as 'select 1'");
      await client.query("create function lockstep.no_longer_used() returns int language sql as 'select 1'");
    });
    await setLevel(database.url, KNOWN - 1, 0);
    await migrate(database.url);
    expect(await schemaOf(database.url)).toEqual(schema);
    const text = "select lockstep.turn_holder(gen_random_uuid()) as holder";
    expect((await administer(database.url, (client) => client.query(text))).rows).toEqual([{ holder: null }]);
  });

  it("does not fail a statement that found a function just before the migration replaced it", async () => {
    await using database = await migratedDatabase();
    const migration = new pg.Client({ connectionString: database.url });
    await migration.connect();
    const answering = (answer: number) =>
      `create function lockstep.answer() returns int language sql as 'select ${answer}'`;
    await migration.query(answering(1));
    await migration.query("begin; lock table lockstep.schema_level; drop function lockstep.answer()");
    await migration.query(answering(2));
    await using db = new Database({ url: database.url, applicationName: "beside" });
    const text = "select answer from lockstep.answer() as answer, lockstep.schema_level";
    const asked = queryOnce(db.work, text);
    const waits = "select from pg_locks where not granted and relation = 'lockstep.schema_level'::regclass";
    await vi.waitUntil(async () => (await migration.query(waits)).rowCount === 1, WAIT);
    await migration.query("commit");
    await migration.end();
    expect(await asked).toEqual([{ answer: 2 }]);
  });

  it("lets the others go on while it waits for a statement that is under way", async () => {
    await using database = await migratedDatabase();
    await setLevel(database.url, KNOWN - 1, 0);
    await using db = new Database({ url: database.url, applicationName: "beside" });
    const slow = new pg.Client({ connectionString: database.url });
    await slow.connect();
    await slow.query("begin; select from lockstep.replica");
    const migrated = migrate(database.url);
    const waits = "select from pg_locks where not granted and relation = 'lockstep.replica'::regclass";
    // It has waited, given up and begun again, and the reads that came meanwhile were answered.
    for (let round = 0; round < 2; round += 1) {
      await vi.waitUntil(async () => (await slow.query(waits)).rowCount === 1, WAIT);
      expect(await queryOnce(db.work, "select from lockstep.replica")).toEqual([]);
    }
    await slow.query("commit");
    await slow.end();
    expect(await migrated).toEqual({ from: KNOWN - 1, to: KNOWN });
  });

  it("leaves a newer schema alone if that is marked as compatible", async () => {
    await using database = await migratedDatabase();
    await setLevel(database.url, KNOWN + 5, KNOWN);
    const schema = await schemaOf(database.url);
    expect(await migrate(database.url)).toEqual({ from: KNOWN + 5, to: KNOWN + 5 });
    expect(await schemaOf(database.url)).toEqual(schema);
  });

  it("refuses a newer schema that this program must not use", async () => {
    await using database = await migratedDatabase();
    await setLevel(database.url, KNOWN + 5, KNOWN + 1);
    await expect(migrate(database.url)).rejects.toMatchObject({
      code: "SCHEMA_TOO_NEW",
      details: { level: String(KNOWN + 5), known: String(KNOWN) },
    });
  });

  it("says so when the database cannot be reached", async () => {
    await expect(migrate("postgres://lockstep@127.0.0.1:1/none")).rejects.toMatchObject({
      code: "DATABASE_UNAVAILABLE",
    });
  });
});
