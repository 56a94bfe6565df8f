// The connections to PostgreSQL. Everything here works through a pooler in transaction mode: no session state, no named
// statements, no startup parameters. LISTEN has a connection of its own (notifications.ts).
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { LockstepError } from "../../errors.ts";
import { Servers } from "./servers.ts";
import { asTold, hasEndedSession, unavailableError, verdictOf } from "./sqlstate.ts";
import { beginSnapshot, StatementClient } from "./statement.ts";

const INT8_OID = 20;
/** date, time, timestamp, timestamptz, interval, timetz. */
const TIME_OIDS: ReadonlySet<number> = new Set([1082, 1083, 1114, 1184, 1186, 1266]);
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: "text" | "binary") => {
    if (TIME_OIDS.has(oid)) return refuseTime;
    return oid === INT8_OID && format !== "binary" ? BigInt : pg.types.getTypeParser(oid, format);
  }) as never,
};

function refuseTime(): never {
  throw new TypeError(
    "a statement answers with a time as text, which depends on DateStyle; instant.ts has it as a number",
  );
}

/**
 * How long a statement may take before its outcome counts as unknown. The server ends it then too, unless it is a
 * decision.
 */
const STATEMENT_DEADLINE_MS = 15_000;
const GOODBYE_MS = 1_000;

export interface DatabaseOptions {
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
}

/**
 * Three pools, so that no kind of work waits behind another:
 * - `reads`: the heads, one query at a time.
 * - `work`: pushes, catch-ups, operators.
 * - `lease`: the renewal of the lease, nothing else.
 */
export class Database {
  readonly reads: pg.Pool;
  readonly work: pg.Pool;
  readonly lease: pg.Pool;
  readonly #replacements = new Set<() => void>();
  readonly #servers: Servers;

  /** Throws USAGE on a URL that cannot be used. */
  constructor(options: DatabaseOptions) {
    const servers = new Servers(options.url);
    this.#servers = servers;
    const pool = (max: number, purpose: string) => {
      const made = new pg.Pool({
        ...connectionConfig(options, purpose),
        ...servers.config,
        ...(servers.areSeveral && { onConnect: (client) => servers.refuseOther(client) as never }),
        Client: StatementClient,
        max,
        types,
        idleTimeoutMillis: 60_000,
      });
      // A connection that breaks fails its statement, and the pool replaces it. Without these listeners the error would
      // end the process.
      made.on("error", () => {});
      made.on("connect", (client) => client.on("error", () => {}));
      serversOf.set(made, servers);
      return made;
    };
    this.reads = pool(2, "read");
    this.work = pool(8, "work");
    this.lease = pool(1, "lease");
  }

  /** Makes later statements take new connections: those made before may lead to a server that has been replaced. */
  replaceConnections(): void {
    for (const pool of this.#pools) stateOf(pool).replacedAt = performance.now();
    for (const replace of this.#replacements) replace();
  }

  /**
   * The newest timeline that a server was seen on, or undefined. If the URL names several servers, none on an older
   * timeline is used any more.
   */
  get newestTimeline(): string | undefined {
    return this.#servers.newest;
  }

  /** Notes that a server is on that timeline. */
  noteTimeline(timeline: string): void {
    this.#servers.note(timeline);
  }

  /**
   * Looks at all servers that the URL names, and goes to the one on the newest timeline. Returns whether that is
   * another server. If so, statements that the old server has not answered fail with DATABASE_UNAVAILABLE.
   */
  async goToNewest(): Promise<boolean> {
    if (!(await this.#servers.goToNewest())) return false;
    this.replaceConnections();
    this.#breakOff("another server is the primary now");
    return true;
  }

  #breakOff(why: string): void {
    for (const pool of this.#pools) for (const breakOff of stateOf(pool).underWay) breakOff(why);
  }

  /**
   * Calls `replace` whenever connections are to be replaced, for a connection that is in no pool. Ends when the result
   * is disposed.
   */
  onReplacement(replace: () => void): Disposable {
    this.#replacements.add(replace);
    return { [Symbol.dispose]: () => void this.#replacements.delete(replace) };
  }

  /** Waits up to GOODBYE_MS for the statements that are under way, then breaks them off. */
  async [Symbol.asyncDispose](): Promise<void> {
    const impatient = setTimeout(() => this.#breakOff("this process stops"), GOODBYE_MS);
    await Promise.all(this.#pools.map((pool) => pool.end()));
    clearTimeout(impatient);
  }

  get #pools(): pg.Pool[] {
    return [this.reads, this.work, this.lease];
  }
}

/**
 * Returns the configuration for one kind of connection to any server. TCP keepalives notice a database host that
 * vanished.
 */
export function connectionConfig(options: DatabaseOptions, purpose: string): pg.ClientConfig {
  return {
    application_name: `lockstep ${options.applicationName} ${purpose}`.slice(0, 63),
    keepAlive: true,
    keepAliveInitialDelayMillis: 1_000,
  };
}

/** How this statement differs from others. */
export interface StatementOptions {
  /**
   * The server never ends the statement: a decision may be large. If its answer does not come, the caller asks for its
   * outcome.
   */
  readonly decides?: boolean;
  /**
   * The statement changes nothing, and no caller takes its answer for a proof that the standby has the rows that it
   * read.
   */
  readonly provesNothing?: boolean;
}

/**
 * Runs one statement, which is a transaction of its own, and returns its rows. Throws DATABASE_UNAVAILABLE when the
 * connection or the server failed. Then nobody knows whether the statement took effect. Other errors: sqlstate.ts.
 */
export async function queryOnce<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  text: string,
  values: readonly unknown[] = [],
  options: StatementOptions = {},
): Promise<Row[]> {
  return await unlessRaced(async () => {
    const { client } = await connect(pool);
    return await runOn<Row>(pool, client, text, values, options);
  });
}

/**
 * Runs a statement that may run twice, and returns its rows. If a pooled connection turns out broken, tries the next
 * one, so that a restart of the server causes no error. An error on a new connection is final. Throws as `queryOnce`.
 */
export async function queryRepeatable<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  text: string,
  values: readonly unknown[] = [],
  options: StatementOptions = {},
): Promise<Row[]> {
  return await unlessRaced(async () => {
    for (;;) {
      const { client, isNew } = await connect(pool);
      try {
        return await runOn<Row>(pool, client, text, values, options);
      } catch (error) {
        if (isNew || error instanceof LockstepError || !hasEndedSession(error)) throw error;
      }
    }
  });
}

/** A statement that lost a race had no effect: it runs again, this many times at most. */
const RACES_LIMIT = 5;
const RACE_PAUSE_MS = 20;

async function unlessRaced<T>(run: () => Promise<T>): Promise<T> {
  for (let races = 1; ; races += 1) {
    try {
      return await run();
    } catch (error) {
      if (error instanceof LockstepError || verdictOf(error) !== "race" || races > RACES_LIMIT) throw asTold(error);
      await sleep(RACE_PAUSE_MS * races * Math.random());
    }
  }
}

const serversOf = new WeakMap<pg.Pool, Servers>();

/** When a connection was used first. A replacement concerns the connections that were in use before. */
const firstUsed = new WeakMap<StatementClient, number>();

interface PoolState {
  /** Connections that were used before this moment are to be replaced. */
  replacedAt: number;
  /** Each function ends the wait for the answer of one statement. */
  readonly underWay: Set<(why: string) => void>;
}

const states = new WeakMap<pg.Pool, PoolState>();

function stateOf(pool: pg.Pool): PoolState {
  const state = states.get(pool) ?? { replacedAt: Number.NEGATIVE_INFINITY, underWay: new Set() };
  states.set(pool, state);
  return state;
}

async function connect(pool: pg.Pool): Promise<{ client: StatementClient & pg.PoolClient; isNew: boolean }> {
  const servers = serversOf.get(pool);
  const open = async (config?: pg.ClientConfig) => {
    Object.assign(pool.options, config);
    return (await pool.connect()) as StatementClient & pg.PoolClient;
  };
  for (;;) {
    const client = await (servers ? servers.connect(open) : open());
    const usedAt = firstUsed.get(client);
    if (usedAt === undefined) firstUsed.set(client, performance.now());
    else if (usedAt <= stateOf(pool).replacedAt) {
      client.release(true);
      continue;
    }
    return { client, isNew: usedAt === undefined };
  }
}

/** Runs one statement within `inSnapshot`. */
export type QueryInSnapshot = <Row extends pg.QueryResultRow>(
  text: string,
  values: readonly unknown[],
) => Promise<Row[]>;

/**
 * Runs several statements that see the same moment, and returns the result of `work`. Each has the deadline of a
 * statement; all together have none. They cannot change anything. `work` must wait for nothing but the database. Throws
 * as `queryOnce`.
 */
export async function inSnapshot<T>(pool: pg.Pool, work: (ask: QueryInSnapshot) => Promise<T>): Promise<T> {
  for (;;) {
    const { client, isNew } = await connect(pool);
    try {
      await inTime(pool, client.query(beginSnapshot(STATEMENT_DEADLINE_MS)));
      const result = await work(
        async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[]) =>
          (await inTime(pool, client.query<Row>(text, values as unknown[]))).rows,
      );
      await inTime(pool, client.query("commit"));
      client.release();
      return result;
    } catch (error) {
      client.release(true);
      if (isNew || error instanceof LockstepError || !hasEndedSession(error)) throw asTold(error);
    }
  }
}

async function runOn<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  client: StatementClient & pg.PoolClient,
  text: string,
  values: readonly unknown[],
  { decides = false, provesNothing = false }: StatementOptions,
): Promise<Row[]> {
  const unconfirmed: string[] = [];
  const onNotice = (notice: { routine?: string | undefined; message?: string | undefined }) => {
    if (notice.routine === "SyncRepWaitForLSN") unconfirmed.push(notice.message ?? "");
  };
  client.on("notice", onNotice);
  try {
    const result = await inTime(
      pool,
      client.run<Row>(text, values, { limitMs: decides ? 0 : STATEMENT_DEADLINE_MS, provesNothing }),
    );
    // The wait for the synchronous standby was ended (a cancelled statement, a shutdown). PostgreSQL calls that a
    // success, with a warning.
    if (unconfirmed.length > 0)
      throw unavailableError(`its standby has not confirmed the statement: ${unconfirmed[0]}`);
    client.release();
    return result.rows;
  } catch (error) {
    // The connection goes too: after a time-out its answer may still come, after an error its state is unknown.
    client.release(true);
    throw error;
  } finally {
    client.off("notice", onNotice);
  }
}

async function inTime<T>(pool: pg.Pool, answer: Promise<T>): Promise<T> {
  const { underWay } = stateOf(pool);
  let timer: NodeJS.Timeout | undefined;
  let breakOff = (_why: string) => {};
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(unavailableError(`no answer for ${STATEMENT_DEADLINE_MS / 1000} s`)),
      STATEMENT_DEADLINE_MS,
    );
    breakOff = (why) => reject(unavailableError(why));
    underWay.add(breakOff);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
    underWay.delete(breakOff);
  }
}

/** Runs a statement as `queryOnce` does, and returns its one row. Throws if it answers with another number of rows. */
export async function queryOnceRow<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  text: string,
  values: readonly unknown[] = [],
  options: StatementOptions = {},
): Promise<Row> {
  return theOnly(await queryOnce<Row>(pool, text, values, options), text);
}

/**
 * Runs a statement as `queryRepeatable` does, and returns its one row. Throws if it answers with another number of
 * rows.
 */
export async function queryRepeatableRow<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  text: string,
  values: readonly unknown[] = [],
  options: StatementOptions = {},
): Promise<Row> {
  return theOnly(await queryRepeatable<Row>(pool, text, values, options), text);
}

function theOnly<Row>(rows: Row[], text: string): Row {
  const row = rows[0];
  if (row === undefined || rows.length !== 1) throw new Error(`expected one row, got ${rows.length}: ${text}`);
  return row;
}
