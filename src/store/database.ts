// The connections to PostgreSQL. Everything here works through a pooler in transaction mode: no session state, no named
// statements, no startup parameters; LISTEN is elsewhere (notifications.ts), on a connection of its own.
import pg from "pg";
import { describe, LockstepError } from "../errors.ts";

const INT8_OID = 20;
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: "text" | "binary") =>
    oid === INT8_OID && format !== "binary" ? BigInt : pg.types.getTypeParser(oid, format)) as never,
};

/** How long a statement may take before its outcome counts as unknown. A bump is never cancelled, only no longer waited for. */
const STATEMENT_DEADLINE_MS = 15_000;
const CONNECT_DEADLINE_MS = 5_000;

export interface DatabaseOptions {
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
}

/**
 * Three pools, so that no kind of work waits behind another: `reads` (the heads, one query at a time), `work` (pushes,
 * catch-ups, operators) and `lease` (its renewal only).
 */
export class Database {
  readonly reads: pg.Pool;
  readonly work: pg.Pool;
  readonly lease: pg.Pool;

  constructor(options: DatabaseOptions) {
    const pool = (max: number, purpose: string) => {
      const made = new pg.Pool({
        ...connectionConfig(options, purpose),
        max,
        types,
        connectionTimeoutMillis: CONNECT_DEADLINE_MS,
        idleTimeoutMillis: 60_000,
      });
      // A connection that breaks fails its statement and is replaced; without listeners, idle or in use, it would end the process.
      made.on("error", () => {});
      made.on("connect", (client) => client.on("error", () => {}));
      return made;
    };
    this.reads = pool(2, "read");
    this.work = pool(8, "work");
    this.lease = pool(1, "lease");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.reads.end(), this.work.end(), this.lease.end()]);
  }
}

/** The client configuration for one kind of connection. TCP keepalives notice a database host that vanished. */
export function connectionConfig(options: DatabaseOptions, purpose: string): pg.ClientConfig {
  return {
    connectionString: options.url,
    application_name: `lockstep ${options.applicationName} ${purpose}`.slice(0, 63),
    keepAlive: true,
    keepAliveInitialDelayMillis: 1_000,
  };
}

/**
 * Runs one autocommit statement and returns its rows. Throws DATABASE_UNAVAILABLE when the connection or the server failed:
 * then the statement may have taken effect or not. Other errors of PostgreSQL pass through as they are.
 */
export async function query<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const { client } = await connect(pool);
  return await runOn<Row>(client, text, values).catch(asOutage);
}

/**
 * Like `query`, for a statement that may as well run twice. One connection after another that broke while it lay idle is passed
 * over, so that a restart of the server costs nobody an error; only what a new connection says counts.
 */
export async function ask<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  for (;;) {
    const { client, isNew } = await connect(pool);
    try {
      return await runOn<Row>(client, text, values);
    } catch (error) {
      if (isNew || !isBroken(error)) return asOutage(error);
    }
  }
}

/** Connections that have been used before, and may have broken since. */
const used = new WeakSet<pg.PoolClient>();

async function connect(pool: pg.Pool): Promise<{ client: pg.PoolClient; isNew: boolean }> {
  const client = await pool.connect().catch((error: unknown) => {
    throw unavailable(error);
  });
  const isNew = !used.has(client);
  used.add(client);
  return { client, isNew };
}

async function runOn<Row extends pg.QueryResultRow>(
  client: pg.PoolClient,
  text: string,
  values: readonly unknown[],
): Promise<Row[]> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(unavailable(`no answer for ${STATEMENT_DEADLINE_MS / 1000} s`)),
        STATEMENT_DEADLINE_MS,
      );
    });
    const result = await Promise.race([client.query<Row>(text, values as unknown[]), late]);
    client.release();
    return result.rows;
  } catch (error) {
    // The connection goes too: after a time-out its answer may still come, after an error it may be half dead.
    client.release(true);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function asOutage(error: unknown): never {
  throw isOutage(error) ? unavailable(error) : error;
}

/** Like `query`, for statements that answer with exactly one row. */
export async function queryOne<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row> {
  return theOnly(await query<Row>(pool, text, values), text);
}

/** Like `ask`, for statements that answer with exactly one row. */
export async function askOne<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row> {
  return theOnly(await ask<Row>(pool, text, values), text);
}

function theOnly<Row>(rows: Row[], text: string): Row {
  const row = rows[0];
  if (row === undefined || rows.length !== 1) throw new Error(`expected one row, got ${rows.length}: ${text}`);
  return row;
}

/** True when the connection is gone, and not only what was asked of it. A time-out is no proof of that. */
function isBroken(error: unknown): boolean {
  if (error instanceof LockstepError) return false;
  // No SQLSTATE: the socket. 08: a pooler lost its server. 57P01 and 02: the server ended this session, or all.
  return !(error instanceof pg.DatabaseError) || /^(08|57P0[12])/.test(error.code ?? "");
}

/** True when the error says that the statement's outcome is unknown or that the server cannot be used now. */
function isOutage(error: unknown): boolean {
  if (error instanceof LockstepError) return false;
  const code = (error as { code?: unknown }).code;
  // No SQLSTATE: the connection broke. 08 connection, 57P shutdown and cancel, 53 resources, 25006 read-only, 58 system.
  return !(error instanceof pg.DatabaseError) || (typeof code === "string" && /^(08|57|53|58|25006|40)/.test(code));
}

/** SQLSTATE → what is wrong with the URL: trying again is no advice there. */
const WRONG_URL: Readonly<Record<string, string>> = {
  "28P01": "correct the user or the password",
  "28000": "let this user in by pg_hba.conf, or correct it",
  "3D000": "create that database, or correct its name",
};

/** DATABASE_UNAVAILABLE with what the server or the network said. */
export function unavailable(cause: unknown): LockstepError {
  if (cause instanceof LockstepError) return cause;
  const said = describe(cause) || String((cause as { code?: unknown }).code ?? "no details");
  const wrong = WRONG_URL[String((cause as { code?: unknown }).code)];
  if (wrong !== undefined) {
    return new LockstepError(
      "DATABASE_UNAVAILABLE",
      `The database refuses the connection (${said}); ${wrong} in the database URL (LOCKSTEP_DATABASE_URL, --database-url or the file of --database-url-file).`,
      { cause },
    );
  }
  return new LockstepError(
    "DATABASE_UNAVAILABLE",
    `The database cannot be used now (${said}); try again, and see whether PostgreSQL runs and can be reached.`,
    { cause },
  );
}
