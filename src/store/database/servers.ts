// The servers that a database URL names. The sidecar uses the first that can be reached and takes writes. It leaves
// that server when it takes no more writes, or when another one is on a newer timeline. An old primary that lives on
// takes itself for the primary.
import pg from "pg";
import { describe, LockstepError } from "../../errors.ts";
import { type DatabaseServer, parseDatabaseUrl } from "../../io/database-url/database-url.ts";
import { configOf, isDue, look, type UrlSource } from "./connection-config.ts";
import { asTold, unavailableError, verdictOf } from "./sqlstate.ts";

/** Files that the URL names, such as `sslkey`, are read again after this time. */
const PARSED_MS = 1_000;

/** Chooses the server to which connections go. */
export class Servers {
  readonly #read: () => string;
  #text: string;
  #parsedAt = performance.now();
  #servers: readonly DatabaseServer[];
  /** The index of the server that worked last. */
  #current = 0;
  /** The newest timeline that a server was seen on (lockstep.current_timeline). */
  #newest: string | undefined;

  /** Throws USAGE on a URL that cannot be used. */
  constructor(source: UrlSource) {
    this.#read = typeof source === "string" ? () => source : source;
    this.#text = this.#read();
    this.#servers = parseDatabaseUrl(this.#text);
  }

  /**
   * Reads the URL again, since a password may have changed. Call it before a new connection. A URL that cannot be used
   * leaves the last good one: its file may be half written.
   */
  refresh(): void {
    try {
      const text = this.#read();
      if (text === this.#text && performance.now() - this.#parsedAt < PARSED_MS) return;
      const servers = parseDatabaseUrl(text);
      const before = this.#servers[this.#current];
      const same = servers.findIndex(
        ({ host, port, ssl }) => host === before?.host && port === before?.port && !ssl === !before?.ssl,
      );
      this.#servers = servers;
      this.#current = Math.max(same, 0);
      this.#text = text;
      this.#parsedAt = performance.now();
    } catch {
      // The next connection tries again.
    }
  }

  /** True when more than one server is named, so that one of them may be a standby. */
  get areSeveral(): boolean {
    return new Set(this.#servers.map(({ host, port }) => `${host}:${port}`)).size > 1;
  }

  /** Notes that a server is on that timeline. A server on an older timeline has been replaced. */
  note(timeline: string): void {
    if (this.#newest === undefined || !isNewer(this.#newest, timeline)) this.#newest = timeline;
  }

  get newest(): string | undefined {
    return this.#newest;
  }

  /** Throws DATABASE_UNAVAILABLE when several servers are named, and this one takes no writes or has been replaced. */
  async refuseOther(client: Pick<pg.ClientBase, "query">): Promise<void> {
    if (!this.areSeveral) return;
    const timeline = this.#newest === undefined ? "''" : "lockstep.current_timeline()";
    const { rows } = await client.query<{ standby: boolean; timeline: string | null }>(
      `select pg_is_in_recovery() as standby, ${timeline} as timeline`,
    );
    if (rows[0]?.standby) throw new LockstepError("DATABASE_UNAVAILABLE", "it is a standby");
    if (isNewer(this.#newest ?? "", rows[0]?.timeline ?? ""))
      throw new LockstepError("DATABASE_UNAVAILABLE", "it is an old primary, another server has taken its place");
  }

  /** Looks at all servers and goes to the one on the newest timeline. Returns whether that is another server. */
  async goToNewest(): Promise<boolean> {
    if (!this.areSeveral) return false;
    this.refresh();
    const before = this.#current;
    for (const met of await Promise.all(this.#ways().map(look))) {
      if (
        met === undefined ||
        !this.#servers.includes(met.server) ||
        (this.#newest !== undefined && !isNewer(met.timeline, this.#newest))
      )
        continue;
      this.#newest = met.timeline;
      this.#current = this.#servers.indexOf(met.server);
    }
    return this.#current !== before;
  }

  /** Returns the ways to connect to each server. */
  #ways(): DatabaseServer[][] {
    const byPlace = new Map<string, DatabaseServer[]>();
    for (const way of this.#servers) {
      const place = `${way.host}:${way.port}`;
      byPlace.set(place, [...(byPlace.get(place) ?? []), way]);
    }
    return [...byPlace.values()];
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
    const servers = this.#servers;
    for (let tried = 0; tried < servers.length; tried += 1) {
      const index = (first + tried) % servers.length;
      const server = servers[index] as DatabaseServer;
      if (tried > 0 && !isDue(server, failures.at(-1)?.error)) continue;
      try {
        const opened = await open(configOf(server));
        // The URL may have been read again meanwhile.
        if (servers === this.#servers) this.#current = index;
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

/** Returns whether `timeline` is newer than `other` of the same system. Timelines of two systems cannot be compared. */
function isNewer(timeline: string, other: string): boolean {
  const [number = "", system] = timeline.split("/");
  const [otherNumber = "", otherSystem] = other.split("/");
  return (
    system !== undefined && system === otherSystem && Number.parseInt(number, 16) > Number.parseInt(otherNumber, 16)
  );
}

function tellAll(failures: readonly { server: DatabaseServer; error: unknown }[]): unknown {
  const refused = failures.find(({ error }) => verdictOf(error) === "refusal") ?? failures[0];
  if (new Set(failures.map(({ server }) => server.host)).size < 2) return asTold(refused?.error);
  const said = failures.map(
    ({ server, error }) => `${server.host}: ${describe(error) || String((error as { code?: unknown }).code)}`,
  );
  return unavailableError(said.join("; "));
}

/** Opens a connection that is in no pool. The caller ends it. Throws as `asTold`. */
export async function connectTo(servers: Servers, config: pg.ClientConfig = {}): Promise<pg.Client> {
  servers.refresh();
  return await servers.connect(async (server) => {
    const client = new pg.Client({ ...config, ...server });
    // The statement that meets a broken connection reports it.
    client.on("error", () => {});
    try {
      await client.connect();
      await servers.refuseOther(client);
      return client;
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
  });
}
