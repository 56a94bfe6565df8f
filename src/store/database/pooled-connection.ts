// Which connection of a pool a statement may use. After a replacement, those that were in use before are closed.
import type pg from "pg";
import type { Servers } from "./servers.ts";
import type { StatementClient } from "./statement.ts";

/** The servers to which the connections of a pool may lead. */
export const serversOf = new WeakMap<pg.Pool, Servers>();

/** When a connection was used first. A replacement concerns the connections that were in use before. */
const firstUsed = new WeakMap<StatementClient, number>();

interface PoolState {
  /** Connections that were used before this moment are to be replaced. */
  replacedAt: number;
  /** Each function ends the wait for the answer of one statement. */
  readonly underWay: Set<(why: string) => void>;
}

const states = new WeakMap<pg.Pool, PoolState>();

/** Returns the state of a pool, which the caller may change. */
export function stateOf(pool: pg.Pool): PoolState {
  const state = states.get(pool) ?? { replacedAt: Number.NEGATIVE_INFINITY, underWay: new Set() };
  states.set(pool, state);
  return state;
}

/**
 * Takes a connection of the pool. `isNew`: no statement has used it yet, so its error is no leftover of a cut. Throws
 * the driver's error when no server can be reached.
 */
export async function connect(pool: pg.Pool): Promise<{ client: StatementClient & pg.PoolClient; isNew: boolean }> {
  const servers = serversOf.get(pool);
  const open = async (config?: pg.ClientConfig) => {
    Object.assign(pool.options, config);
    return (await pool.connect()) as StatementClient & pg.PoolClient;
  };
  for (;;) {
    if (pool.idleCount === 0) servers?.refresh();
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
