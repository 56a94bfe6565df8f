// How a connection is made, to any server and in any pool, and how it reads values: int8 as bigint, no time as text.
// servers.ts chooses the server.
import pg from "pg";
import { describe } from "../../errors.ts";
import type { DatabaseServer } from "../../io/database-url/database-url.ts";
import { WAITS } from "../../waits.ts";

/** The database URL, or a function that reads it anew. */
export type UrlSource = string | (() => string);

export interface DatabaseOptions {
  readonly url: UrlSource;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** How many connections pushes, catch-ups and operators share. Default: DEFAULT_WORK_CONNECTIONS. */
  readonly workConnections?: number;
}

export const DEFAULT_WORK_CONNECTIONS = 8;

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

const INT8_OID = 20;
/** date, time, timestamp, timestamptz, interval, timetz. */
const TIME_OIDS: ReadonlySet<number> = new Set([1082, 1083, 1114, 1184, 1186, 1266]);
/** Goes into the configuration of each pool. */
export const types: pg.CustomTypesConfig = {
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

/** Returns all fields that depend on the server, so that they replace those of another server. */
export function configOf({ onlyAfter: _, ...server }: DatabaseServer): pg.ClientConfig {
  const none = { host: undefined, port: undefined, user: undefined, password: undefined, database: undefined };
  return { ...none, connectionTimeoutMillis: WAITS.connectMs, ...server };
}

/** Returns whether this way to a server is worth a try after that error. */
export function isDue({ onlyAfter }: DatabaseServer, error: unknown): boolean {
  if (onlyAfter === undefined) return true;
  if (onlyAfter === "no TLS") return /does not support SSL/.test(describe(error));
  return error instanceof pg.DatabaseError && error.code === "28000";
}

/**
 * Returns the first way that leads to the server, and its timeline. undefined: the server cannot be reached, or is a
 * standby.
 */
export async function look(
  ways: readonly DatabaseServer[],
): Promise<{ server: DatabaseServer; timeline: string } | undefined> {
  let failure: unknown;
  for (const server of ways) {
    if (failure !== undefined && !isDue(server, failure)) continue;
    const client = new pg.Client({ ...configOf(server), query_timeout: WAITS.connectMs });
    client.on("error", () => {});
    try {
      await client.connect();
      const { rows } = await client.query<{ timeline: string | null }>(
        "select lockstep.current_timeline() as timeline",
      );
      const timeline = rows[0]?.timeline;
      return timeline ? { server, timeline } : undefined;
    } catch (error) {
      failure = error;
    } finally {
      // This does not wait: a server that hangs never answers the goodbye.
      client.end().catch(() => {});
    }
  }
  return undefined;
}
