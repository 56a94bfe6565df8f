// How a connection is made, to any server and in any pool, and how it reads values: int8 as bigint, no time as text.
import pg from "pg";
import type { UrlSource } from "./servers.ts";

export interface DatabaseOptions {
  readonly url: UrlSource;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
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
