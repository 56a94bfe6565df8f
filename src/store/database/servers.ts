// The servers that a database URL names. The program uses the first one that it can reach and that takes writes, until
// that one fails.
import pg from "pg";
import { describe, LockstepError } from "../../errors.ts";
import { type DatabaseServer, parseDatabaseUrl } from "../../io/database-url.ts";
import { asTold, unavailableError, verdictOf } from "./sqlstate.ts";

const CONNECT_DEADLINE_MS = 5_000;

export class Servers {
  readonly #servers: readonly DatabaseServer[];
  /** The index of the server that worked last. */
  #current = 0;

  /** Throws USAGE on a URL that cannot be used. */
  constructor(url: string) {
    this.#servers = parseDatabaseUrl(url);
  }

  /** True when more than one server is named, so that one of them may be a standby. */
  get areSeveral(): boolean {
    return new Set(this.#servers.map(({ host, port }) => `${host}:${port}`)).size > 1;
  }

  /** The configuration of the server that worked last. */
  get config(): pg.ClientConfig {
    return configOf(this.#servers[this.#current] as DatabaseServer);
  }

  /**
   * Calls `open` for one server after another until it does not fail, and returns its result. Each server is tried
   * once. Throws as `asTold`.
   */
  async connect<T>(open: (config: pg.ClientConfig) => Promise<T>): Promise<T> {
    const failures: { server: DatabaseServer; error: unknown }[] = [];
    const first = this.#current;
    for (let tried = 0; tried < this.#servers.length; tried += 1) {
      const index = (first + tried) % this.#servers.length;
      const server = this.#servers[index] as DatabaseServer;
      if (tried > 0 && !isDue(server, failures.at(-1)?.error)) continue;
      try {
        const opened = await open(configOf(server));
        this.#current = index;
        return opened;
      } catch (error) {
        failures.push({ server, error });
        // All connections of the pool are in use, which is no fault of the server.
        if (describe(error).startsWith("timeout exceeded")) break;
      }
    }
    throw tellAll(failures);
  }
}

/** Returns all fields that depend on the server, so that they replace those of another server. */
function configOf({ onlyAfter: _, ...server }: DatabaseServer): pg.ClientConfig {
  const none = { host: undefined, port: undefined, user: undefined, password: undefined, database: undefined };
  return { ...none, connectionTimeoutMillis: CONNECT_DEADLINE_MS, ...server };
}

/** Returns whether this way to a server is worth a try after that error. */
function isDue({ onlyAfter }: DatabaseServer, error: unknown): boolean {
  if (onlyAfter === undefined) return true;
  if (onlyAfter === "no TLS") return /does not support SSL/.test(describe(error));
  return error instanceof pg.DatabaseError && error.code === "28000";
}

function tellAll(failures: readonly { server: DatabaseServer; error: unknown }[]): unknown {
  const refused = failures.find(({ error }) => verdictOf(error) === "refusal") ?? failures[0];
  if (new Set(failures.map(({ server }) => server.host)).size < 2) return asTold(refused?.error);
  const said = failures.map(
    ({ server, error }) => `${server.host}: ${describe(error) || String((error as { code?: unknown }).code)}`,
  );
  return unavailableError(said.join("; "));
}

/** Throws when the server takes no writes. Only asked when several servers are named. */
export async function refuseStandby(client: Pick<pg.ClientBase, "query">): Promise<void> {
  const { rows } = await client.query<{ standby: boolean }>("select pg_is_in_recovery() as standby");
  if (rows[0]?.standby) throw new LockstepError("DATABASE_UNAVAILABLE", "it is a standby");
}

/** Opens a connection that is in no pool. The caller ends it. Throws as `asTold`. */
export async function connectTo(servers: Servers, config: pg.ClientConfig = {}): Promise<pg.Client> {
  return await servers.connect(async (server) => {
    const client = new pg.Client({ ...config, ...server });
    // The statement that meets a broken connection reports it.
    client.on("error", () => {});
    try {
      await client.connect();
      if (servers.areSeveral) await refuseStandby(client);
      return client;
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
  });
}
