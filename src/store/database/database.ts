// The connections to PostgreSQL. Everything here works through a pooler in transaction mode: no session state, no named
// statements, no startup parameters. LISTEN has a connection of its own (notifications.ts).
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { LockstepError } from "../../errors.ts";
import { connectionConfig, type DatabaseOptions, DEFAULT_WORK_CONNECTIONS, types } from "./connection-config.ts";
import { connect, serversOf, stateOf } from "./pooled-connection.ts";
import { runOn, type StatementOptions } from "./run-statement.ts";
import { Servers } from "./servers.ts";
import { asTold, hasEndedSession, verdictOf } from "./sqlstate.ts";
import { StatementClient } from "./statement.ts";

const GOODBYE_MS = 1_000;

/**
 * Three pools, so that no kind of work waits behind another:
 * - `reads`: the heads, one query at a time, and what probes ask.
 * - `work`: pushes, catch-ups, operators. An operator may set how many (docs/sizing.md).
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
        onConnect: (client) => servers.refuseOther(client) as never,
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
    this.work = pool(options.workConnections ?? DEFAULT_WORK_CONNECTIONS, "work");
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
