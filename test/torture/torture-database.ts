// Starts the database of a run: a primary whose commits wait for a standby. If this machine cannot run a standby, it
// starts a single server.
import { join } from "node:path";
import { type LocalPostgres, startPostgres } from "../../src/demo/postgres.ts";
import { PostgresServers, replicationMissing, type Server, sql } from "../support/postgres-servers.ts";
import { setSynchronous } from "../support/replication.ts";

/** With this setting a standby that lost its primary for a moment returns soon. */
const RETRY = "wal_retrieve_retry_interval=200ms";
const KEPT = "wal_keep_size=1GB";

export interface TortureDatabase extends AsyncDisposable {
  /** The URL of the primary, without a proxy. */
  readonly url: string;
  /** The reason why there is no standby, or undefined. */
  readonly missing: string | undefined;
  readonly pair: Pair | undefined;
}

/** Starts the servers. `env` is added to their environment. */
export async function startDatabase(dir: string, env: Readonly<Record<string, string>>): Promise<TortureDatabase> {
  const missing = replicationMissing();
  if (missing === undefined) return await Pair.start(env);
  const isRoot = process.getuid?.() === 0;
  const single: LocalPostgres = await startPostgres({
    dir: join(dir, "database"),
    env: process.env,
    isRoot,
    serverEnv: env,
  });
  return {
    url: single.url,
    missing,
    pair: undefined,
    [Symbol.asyncDispose]: () => single[Symbol.asyncDispose](),
  };
}

export class Pair implements TortureDatabase {
  readonly missing = undefined;
  readonly #servers: PostgresServers;
  #primary: Server;
  #standby: Server;
  #made = 2;

  private constructor(servers: PostgresServers, primary: Server, standby: Server) {
    this.#servers = servers;
    this.#primary = primary;
    this.#standby = standby;
  }

  static async start(env: Readonly<Record<string, string>>): Promise<Pair> {
    const servers = await PostgresServers.create(env);
    try {
      const primary = await servers.make("server1", [KEPT, RETRY]);
      const pair = new Pair(servers, primary, await servers.copy(primary, "server2", [KEPT, RETRY]));
      await setSynchronous(servers, primary, pair.#standby, true);
      return pair;
    } catch (error) {
      await servers[Symbol.asyncDispose]();
      throw error;
    }
  }

  get pair(): Pair {
    return this;
  }

  get url(): string {
    return this.#primary.url;
  }

  /** Disconnects the standby. It gets no data, and no commit is confirmed. */
  async loseStandby(): Promise<void> {
    await this.#restartStandby([KEPT, RETRY, "primary_conninfo="]);
  }

  async returnStandby(): Promise<void> {
    await this.#restartStandby([KEPT, RETRY]);
    await setSynchronous(this.#servers, this.#primary, this.#standby, true);
  }

  /** Makes the standby the primary, without a standby of its own. The old primary lives on until it is removed. */
  async promote(): Promise<OldPrimary> {
    const old = this.#primary;
    await sql(this.#standby, "select pg_promote()");
    this.#primary = this.#standby;
    await sql(this.#primary, "alter system set synchronous_standby_names = ''");
    await sql(this.#primary, "select pg_reload_conf()");
    return {
      url: old.url,
      kill: () => void process.kill(old.process.pid, "SIGKILL"),
      remove: () => this.#servers.remove(old),
    };
  }

  /** Gives the primary a standby that its commits wait for. */
  async addStandby(): Promise<void> {
    this.#made += 1;
    this.#standby = await this.#servers.copy(this.#primary, `server${this.#made}`, [KEPT, RETRY]);
    await setSynchronous(this.#servers, this.#primary, this.#standby, true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#servers[Symbol.asyncDispose]();
  }

  async #restartStandby(settings: readonly string[]): Promise<void> {
    const { name, port, process } = this.#standby;
    process.cut();
    await process.gone;
    this.#standby = await this.#servers.launch(name, port, settings);
  }
}

export interface OldPrimary {
  readonly url: string;
  kill(): void;
  remove(): Promise<void>;
}
