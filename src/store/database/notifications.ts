// NOTIFY is a latency hint, never the truth: with it cut off, polling still finds everything. It is sent after the bump in a
// statement of its own (inside the bump it would serialise all commits of the server), many repositories in one.
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { connectionConfig, type Database, type DatabaseOptions, query } from "./database.ts";
import { connectTo, Servers } from "./servers.ts";

const CHANNEL = "lockstep_head";
/** PostgreSQL takes payloads below 8000 bytes; an id and its comma are 37. */
const IDS_PER_NOTIFICATION = 200;
const RECONNECT_MS = 2_000;

/** Tells the other listening sidecars that these repositories have a new head. */
export async function notifyHeads(db: Database, device: string, repositoryIds: readonly string[]): Promise<void> {
  for (let from = 0; from < repositoryIds.length; from += IDS_PER_NOTIFICATION) {
    const payload = `${device} ${repositoryIds.slice(from, from + IDS_PER_NOTIFICATION).join(",")}`;
    await query(db.work, "select pg_notify($1, $2)", [CHANNEL, payload]);
  }
}

/**
 * Listens until `signal` aborts, on a connection of its own. `onHeads` gets the ids of a notification; `onReconnect` is
 * called whenever listening (re)starts, because anything may have been missed before.
 */
export async function listenForHeads(
  options: DatabaseOptions,
  device: string,
  handlers: { onHeads: (repositoryIds: string[]) => void; onReconnect: () => void },
  signal: AbortSignal,
): Promise<void> {
  const servers = new Servers(options.url);
  while (!signal.aborted) {
    await listenOnce(servers, connectionConfig(options, "listen"), device, handlers, signal).catch(() => {
      // The next round tries again; polling covers the time between.
    });
    await sleep(RECONNECT_MS, undefined, { signal }).catch(() => {});
  }
}

/** Returns when the connection has broken, or `signal` aborts. */
async function listenOnce(
  servers: Servers,
  config: pg.ClientConfig,
  device: string,
  handlers: { onHeads: (repositoryIds: string[]) => void; onReconnect: () => void },
  signal: AbortSignal,
): Promise<void> {
  const client = await connectTo(servers, config);
  let stop = () => {};
  try {
    const ended = new Promise<void>((resolve) => {
      stop = resolve;
      client.on("error", () => resolve());
      client.on("end", () => resolve());
      signal.addEventListener("abort", stop, { once: true });
      if (signal.aborted) resolve();
    });
    client.on("notification", ({ payload = "" }) => {
      const [from, ids = ""] = payload.split(" ");
      // What this device announced itself it has.
      if (from !== device) handlers.onHeads(ids.split(",").filter(Boolean));
    });
    await client.query(`listen ${CHANNEL}`);
    handlers.onReconnect();
    await ended;
  } finally {
    // The signal lives as long as the process: what each round leaves with it would add up while the database is away.
    signal.removeEventListener("abort", stop);
    await client.end().catch(() => {});
  }
}
