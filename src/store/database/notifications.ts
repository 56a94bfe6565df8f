// NOTIFY is a latency hint, never the truth: with it cut off, polling still finds everything. It is sent after the bump in a
// statement of its own (inside the bump it would serialise all commits of the server), many repositories in one.
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { connectionConfig, type Database, type DatabaseOptions, queryOnce } from "./database.ts";
import { connectTo, Servers } from "./servers.ts";

const CHANNEL = "lockstep_head";
/** PostgreSQL takes payloads below 8000 bytes; an id and its comma are 37. */
const IDS_PER_NOTIFICATION = 200;
const RECONNECT_MS = 2_000;
const GOODBYE_MS = 1_000;

/** Tells the other listening sidecars that these repositories have a new head. */
export async function notifyHeads(db: Database, device: string, repositoryIds: readonly string[]): Promise<void> {
  for (let from = 0; from < repositoryIds.length; from += IDS_PER_NOTIFICATION) {
    const payload = `${device} ${repositoryIds.slice(from, from + IDS_PER_NOTIFICATION).join(",")}`;
    await queryOnce(db.work, "select pg_notify($1, $2)", [CHANNEL, payload]);
  }
}

export interface HeadsHandlers {
  readonly onHeads: (repositoryIds: string[]) => void;
  /** Listening has (re)started: anything may have been missed before. */
  readonly onReconnect: () => void;
}

/**
 * Listens until `signal` aborts, on a connection of its own, which is replaced with those of `db`: after a fail-over it would lead to the
 * old primary, where nobody announces anything.
 */
export async function listenForHeads(
  db: Pick<Database, "onReplacement">,
  options: DatabaseOptions,
  device: string,
  handlers: HeadsHandlers,
  signal: AbortSignal,
): Promise<void> {
  const servers = new Servers(options.url);
  while (!signal.aborted) {
    const startedAt = performance.now();
    const end = await listenOnce(db, servers, connectionConfig(options, "listen"), device, handlers, signal).catch(
      // The next round tries again; polling covers the time between.
      () => "broken" as const,
    );
    // Connections may be replaced for each read, while a device reaches two servers: no more often than this.
    const isDue = end === "replaced" && performance.now() - startedAt > RECONNECT_MS;
    if (!isDue) await sleep(RECONNECT_MS, undefined, { signal }).catch(() => {});
  }
}

/** Returns when the connection has broken or is to be replaced, or `signal` aborts. */
async function listenOnce(
  db: Pick<Database, "onReplacement">,
  servers: Servers,
  config: pg.ClientConfig,
  device: string,
  handlers: HeadsHandlers,
  signal: AbortSignal,
): Promise<"broken" | "replaced"> {
  let stop: (how: "broken" | "replaced") => void = () => {};
  const ended = new Promise<"broken" | "replaced">((resolve) => {
    stop = resolve;
  });
  const onAbort = () => stop("broken");
  // Registered before the connection is made: one that leads to the old primary may be made at the moment of the replacement.
  using _ = db.onReplacement(() => stop("replaced"));
  const client = await connectTo(servers, config);
  try {
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) return "broken";
    client.on("error", onAbort);
    client.on("end", onAbort);
    client.on("notification", ({ payload = "" }) => {
      const [from, ids = ""] = payload.split(" ");
      // What this device announced itself it has.
      if (from !== device) handlers.onHeads(ids.split(",").filter(Boolean));
    });
    // The old primary's machine may have vanished.
    const listening = client.query(`listen ${CHANNEL}`).then(() => handlers.onReconnect());
    await Promise.race([listening, ended]);
    return await ended;
  } finally {
    // The signal lives as long as the process: what each round leaves with it would add up while the database is away.
    signal.removeEventListener("abort", onAbort);
    await closeSoon(client);
  }
}

/** A server that vanished never answers the goodbye. */
async function closeSoon(client: pg.Client): Promise<void> {
  const enough = new AbortController();
  const closed = client.end().catch(() => {});
  await Promise.race([closed, sleep(GOODBYE_MS, undefined, { signal: enough.signal }).catch(() => {})]);
  enough.abort();
  (client as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
}
