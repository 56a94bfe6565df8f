// The servers that a database URL names: the first that can be reached and takes writes is the one, until it no longer does.
import pg from "pg";
import { describe, LockstepError } from "../../errors.ts";
import { type DatabaseServer, parseDatabaseUrl } from "../../io/database-url.ts";
import { asTold, unavailableError, verdictOf } from "./sqlstate.ts";

const CONNECT_DEADLINE_MS = 5_000;

export class Servers {
  readonly #servers: readonly DatabaseServer[];
  /** The one that did last. */
  #current = 0;

  /** Throws USAGE on a URL that cannot be used. */
  constructor(url: string) {
    this.#servers = parseDatabaseUrl(url);
  }

  /** More than one server is named, so that one of them may be a standby. */
  get areSeveral(): boolean {
    return new Set(this.#servers.map(({ host, port }) => `${host}:${port}`)).size > 1;
  }

  /** Where to connect to now. */
  get config(): pg.ClientConfig {
    return configOf(this.#servers[this.#current] as DatabaseServer);
  }

  /** What the first server answers for which `open` does not fail; each is tried once. Throws as `asTold`. */
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
        // All connections are in use: that is no fault of the server.
        if (describe(error).startsWith("timeout exceeded")) break;
      }
    }
    throw tellAll(failures);
  }
}

/** All fields that depend on the server: they replace those of another one. */
function configOf({ onlyAfter: _, ...server }: DatabaseServer): pg.ClientConfig {
  const none = { host: undefined, port: undefined, user: undefined, password: undefined, database: undefined };
  return { ...none, connectionTimeoutMillis: CONNECT_DEADLINE_MS, ...server };
}

/** Whether a way to a server is worth trying after that error. */
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

/** Throws when the server takes no writes; asked only where another one may. */
export async function refuseStandby(client: Pick<pg.ClientBase, "query">): Promise<void> {
  const { rows } = await client.query<{ standby: boolean }>("select pg_is_in_recovery() as standby");
  if (rows[0]?.standby) throw new LockstepError("DATABASE_UNAVAILABLE", "it is a standby");
}

/** A connection of its own to the database of `url`. Throws as `asTold`. The caller ends it. */
export async function connectTo(servers: Servers, config: pg.ClientConfig = {}): Promise<pg.Client> {
  return await servers.connect(async (server) => {
    const client = new pg.Client({ ...config, ...server });
    // A broken connection is reported by the statement that meets it.
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
