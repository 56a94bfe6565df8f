// Makes the schema. Tables are in numbered SQL files in migrations/, forward only, each run once. Functions have one
// file each in migrations/functions/, and every migration replaces all of them. So a released function changes together
// with a new numbered file. That file sets lockstep.schema_level. It raises `compatible_from` if older programs cannot
// work with the change.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { describe, LockstepError } from "../../errors.ts";
import { MIGRATIONS_DIR } from "../../installation.ts";
import { epochMs } from "./instant.ts";
import { refuseWrongSettings } from "./server-settings.ts";
import { connectTo, Servers } from "./servers.ts";
import { asTold, unavailableError, verdictOf } from "./sqlstate.ts";
import { WAIT_FOR_STANDBY } from "./statement.ts";

const FUNCTIONS = join(MIGRATIONS_DIR, "functions");
/** Any number that no other program uses as a lock in this database. */
const MIGRATION_LOCK = 7_420_742_174;

/** Tables that are in use are waited for this long at a time, and for this long in all. */
const LOCK_MS = 500;
const RACES_MS = 120_000;

/** One message, because a server that ends idle transactions may do so after the first statement. */
const BEGIN = ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"].reduce(
  (begun, timeout) => `${begun}; set local ${timeout} = 0`,
  `begin isolation level read committed; set local jit = off; ${WAIT_FOR_STANDBY}`,
);

/** Returns the schema level that this program knows: the number of its newest migration. */
export function knownSchemaLevel(): number {
  const numbers = readdirSync(MIGRATIONS_DIR).map((file) => Number.parseInt(file, 10));
  return Math.max(...numbers.filter(Number.isInteger));
}

export interface SchemaLevel {
  /** 0: no schema yet. */
  readonly level: number;
  readonly compatibleFrom: number;
}

/**
 * Brings the schema to this program's level and returns its level before and after. If two callers come at once, one
 * migrates; the other waits and finds nothing to do. Throws SCHEMA_TOO_NEW against a schema that this program must not
 * use, PREREQUISITE_MISSING on a server with wrong settings, DATABASE_UNAVAILABLE. Throws SHUTTING_DOWN if `stop`
 * aborts while it waits for statements that use the tables.
 */
export async function migrate(url: string, stop?: AbortSignal): Promise<{ from: number; to: number }> {
  const client = await connectTo(new Servers(url));
  try {
    for (const givenUpAt = performance.now() + RACES_MS; ; ) {
      try {
        return await migrateOn(client);
      } catch (error) {
        // The migrator may have wrapped the error. A connection that does not even roll back is lost.
        await client.query("rollback").catch(() => {
          throw unavailableError(describe(error));
        });
        if (!(error instanceof pg.DatabaseError)) throw error;
        if (verdictOf(error) !== "race" || performance.now() > givenUpAt) throw asTold(error);
        if (stop?.aborted)
          throw new LockstepError("SHUTTING_DOWN", "The migration was stopped, and nothing was changed; run it again.");
        await sleep(LOCK_MS * Math.random());
      }
    }
  } finally {
    await client.end().catch(() => {});
  }
}

async function migrateOn(client: pg.Client): Promise<{ from: number; to: number }> {
  await refuseWrongSettings(client);
  const before = await readSchemaLevel(client);
  if (before.level >= knownSchemaLevel()) return { from: before.level, to: before.level };
  const { runner } = await import("node-pg-migrate");
  // One transaction with a transaction-level lock holds everything. Behind a pooler in transaction mode, the migrator's
  // own session lock would be lost, or a stranger would hold it.
  await client.query(BEGIN);
  await client.query("select pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
  const { level, compatibleFrom } = await readSchemaLevel(client);
  if (level < knownSchemaLevel()) {
    await lockTables(client);
    await runner({
      dbClient: withoutTransactions(client),
      dir: MIGRATIONS_DIR,
      direction: "up",
      migrationsTable: "migration",
      migrationsSchema: "lockstep",
      createMigrationsSchema: true,
      noLock: true,
      singleTransaction: true,
      log: () => {},
    });
    await replaceFunctions(client);
    await fenceOldPrograms(client, compatibleFrom);
  }
  await client.query("commit");
  return { from: level, to: Math.max(level, knownSchemaLevel()) };
}

/**
 * Wraps the client for the migrator and leaves out the migrator's own "begin" and "commit": the functions belong to the
 * same transaction.
 */
function withoutTransactions(client: pg.Client): pg.Client {
  const inner: pg.Client = Object.create(client);
  const query = client.query.bind(client) as (...args: unknown[]) => unknown;
  inner.query = ((...args: unknown[]) =>
    query(...(args[0] === "BEGIN" || args[0] === "COMMIT" ? ["select"] : args))) as typeof client.query;
  return inner;
}

/**
 * Locks every table, so that no statement of a running sidecar is half-way. If that takes longer than a moment, the
 * statements that wait go first, and the caller tries again.
 */
async function lockTables(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    "select format('lockstep.%I', tablename) as name from pg_tables where schemaname = 'lockstep' order by tablename",
  );
  if (rows.length === 0) return;
  const tables = rows.map(({ name }) => name).join(", ");
  await client.query(`set local lock_timeout = ${LOCK_MS}; lock table ${tables}; set local lock_timeout = 0`);
}

async function replaceFunctions(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ signature: string }>(
    "select oid::regprocedure::text as signature from pg_proc where pronamespace = to_regnamespace('lockstep')",
  );
  for (const { signature } of rows) await client.query(`drop function ${signature} cascade`);
  // Functions call each other: a body may name a function that comes later.
  await client.query("set local check_function_bodies = off");
  for (const file of readdirSync(FUNCTIONS).sort()) await client.query(readFileSync(join(FUNCTIONS, file), "utf8"));
  // New functions have no rights yet. Without a login of a device nobody needs any.
  await client.query("select lockstep.grant_to_devices() from pg_roles where rolname = lockstep.device_group()");
}

/** Ends every sidecar that runs if the new schema shuts older programs out. Newer programs start again. */
async function fenceOldPrograms(client: pg.Client, compatibleBefore: number): Promise<void> {
  await client.query(
    `update lockstep.device set fence = nextval('lockstep.fence_seq')
     where (select compatible_from from lockstep.schema_level) > $1`,
    [compatibleBefore],
  );
}

/** Returns the schema level of the database. Throws SCHEMA_TOO_NEW when this program must not run against it. */
async function readSchemaLevel(client: Pick<pg.ClientBase, "query">): Promise<SchemaLevel> {
  // Not to_regclass: after a wait for the migration lock it still answers from a cache that is older than the wait.
  const tables = await client.query(
    "select from pg_tables where schemaname = 'lockstep' and tablename = 'schema_level'",
  );
  if (tables.rowCount === 0) return { level: 0, compatibleFrom: 0 };
  const { rows } = await client.query("select level, compatible_from from lockstep.schema_level");
  const level = { level: Number(rows[0]?.level), compatibleFrom: Number(rows[0]?.compatible_from) };
  if (level.compatibleFrom > knownSchemaLevel()) {
    throw new LockstepError(
      "SCHEMA_TOO_NEW",
      `The database schema is at level ${level.level} and needs a program that knows level ${level.compatibleFrom}. This one knows ` +
        `level ${knownSchemaLevel()}; install the newer version of Lockstep on this device.`,
      { details: { level: String(level.level), known: String(knownSchemaLevel()) } },
    );
  }
  return level;
}

export interface Inspection {
  readonly version: string;
  readonly standby: boolean;
  /** 0: no schema yet. */
  readonly level: number;
  /** True when this user may make a schema. */
  readonly mayCreate: boolean;
  /** By how much the server's clock is ahead of this machine's, plus or minus half a round trip. */
  readonly aheadMs: number;
  /** Settings that are off although a crash may then lose committed data. */
  readonly off: readonly string[];
}

/** Looks at a database and changes nothing. Throws DATABASE_UNAVAILABLE, SCHEMA_TOO_NEW, PREREQUISITE_MISSING. */
export async function inspectDatabase(url: string): Promise<Inspection> {
  const client = await connectTo(new Servers(url));
  try {
    await refuseWrongSettings(client);
    const askedAt = Date.now();
    const { rows } = await client.query<Omit<Inspection, "level" | "aheadMs"> & { now: string }>(
      `select current_setting('server_version') as version, pg_is_in_recovery() as standby,
         has_database_privilege(current_database(), 'create') as "mayCreate",
         ${epochMs("clock_timestamp()")} as now,
         array(select name from pg_settings
           where name in ('fsync', 'full_page_writes', 'synchronous_commit') and setting = 'off' order by name) as off`,
    );
    const aheadMs = Number(rows[0]?.now ?? 0) - (askedAt + Date.now()) / 2;
    const { level } = await readSchemaLevel(client);
    const { version, standby, mayCreate, off } = rows[0] as (typeof rows)[0];
    return { version, standby, level, mayCreate, aheadMs, off };
  } catch (error) {
    throw asTold(error);
  } finally {
    await client.end().catch(() => {});
  }
}
