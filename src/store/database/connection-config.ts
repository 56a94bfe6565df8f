// How a connection is made, to any server and in any pool.
import type pg from "pg";

export interface DatabaseOptions {
  readonly url: string;
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
