// Starts a PostgreSQL primary with a streaming standby, for tests of fail-overs.
import { PostgresServers, type Server, soon, sql } from "./postgres-servers.ts";

export interface Replication extends AsyncDisposable {
  readonly primary: string;
  readonly standby: string;
  /** Switches whether commits wait for the standby. */
  setSynchronous(on: boolean): Promise<void>;
  /** Resolves when the standby has everything that the primary has. */
  standbyHasAll(): Promise<void>;
  /** Disconnects the standby, which then gets no data. */
  disconnectStandby(): Promise<void>;
  /** Reconnects the standby, which then gets the missed data. */
  reconnectStandby(): Promise<void>;
  /** Promotes the standby. The old primary lives on and does not learn of it. */
  promote(): Promise<void>;
  /** Kills the primary with SIGKILL and promotes the standby. */
  failOver(): Promise<void>;
}

/** Switches whether commits of `primary` wait for `standby`. */
export async function setSynchronous(
  servers: PostgresServers,
  primary: Server,
  standby: Server,
  on: boolean,
): Promise<void> {
  await sql(primary, `alter system set synchronous_standby_names = '${on ? "standby" : ""}'`);
  await sql(primary, "select pg_reload_conf()");
  await soon(async () => {
    const [row] = await sql<{ sync_state: string }>(primary, "select sync_state from pg_stat_replication");
    if (row?.sync_state !== (on ? "sync" : "async"))
      throw new Error(`the standby is ${row?.sync_state}: ${await servers.logEnd(standby)}`);
  });
}

/** Starts a primary with an empty database, and its standby. */
export async function startReplication(): Promise<Replication> {
  const servers = await PostgresServers.create();
  // The standby may need old data after a pause, so the primary keeps it.
  const primary = await servers.make("primary", ["wal_keep_size=1GB"]);
  let standby = await servers.copy(primary, "standby");
  const restartStandby = async (settings: readonly string[]) => {
    standby.process.cut();
    await standby.process.gone;
    standby = await servers.launch("standby", standby.port, settings);
  };
  const promote = async () => void (await sql(standby, "select pg_promote()"));
  return {
    primary: primary.url,
    standby: standby.url,
    setSynchronous: (on) => setSynchronous(servers, primary, standby, on),
    async standbyHasAll() {
      const [row] = await sql<{ lsn: string }>(primary, "select pg_current_wal_flush_lsn()::text as lsn");
      await soon(async () => {
        const [{ has } = { has: false }] = await sql<{ has: boolean }>(
          standby,
          `select pg_last_wal_replay_lsn() >= '${row?.lsn}' as has`,
        );
        if (!has) throw new Error("the standby is behind");
      });
    },
    disconnectStandby: () => restartStandby(["primary_conninfo="]),
    reconnectStandby: () => restartStandby([]),
    promote,
    async failOver() {
      process.kill(primary.process.pid, "SIGKILL");
      await primary.process.gone;
      await promote();
    },
    [Symbol.asyncDispose]: () => servers[Symbol.asyncDispose](),
  };
}
