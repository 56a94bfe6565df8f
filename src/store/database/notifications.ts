// NOTIFY is a hint that saves time: without it, polling still finds everything. The sidecar sends it after the bump, in
// a statement of its own, for many repositories at once. Inside the bump it would serialise all commits of the server.
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { WAITS } from "../../waits.ts";
import { connectionConfig, type DatabaseOptions } from "./connection-config.ts";
import { type Database, queryOnce } from "./database.ts";
import { connectTo, Servers } from "./servers.ts";

const CHANNEL = "lockstep_head";
/** The payload is the name of a device that has new commands (`notifyCommands`). */
const COMMAND_CHANNEL = "lockstep_command";
/** Sent by change_registry.sql; it has no payload. */
const REGISTRY_CHANNEL = "lockstep_registry";
/** PostgreSQL takes payloads below 8000 bytes. An id and its comma are 37. */
const IDS_PER_NOTIFICATION = 200;
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
  /** Called when this device has new commands. */
  readonly onCommands: () => void;
  /** Called when the registry of keys has changed. */
  readonly onRegistry: () => void;
  /** Called when listening begins, and begins again. Notifications may have been missed before. */
  readonly onReconnect: () => void;
}

/**
 * Listens until `signal` aborts, on a connection of its own. That connection is replaced together with those of `db`.
 * After a fail-over it would lead to the old primary, where no device announces anything.
 */
export async function listenForHeads(
  db: Pick<Database, "onReplacement" | "newestTimeline">,
  options: DatabaseOptions,
  device: string,
  handlers: HeadsHandlers,
  signal: AbortSignal,
): Promise<void> {
  const servers = new Servers(options.url);
  while (!signal.aborted) {
    const startedAt = performance.now();
    if (db.newestTimeline !== undefined) servers.note(db.newestTimeline);
    const end = await listenOnce(db, servers, connectionConfig(options, "listen"), device, handlers, signal).catch(
      // The next round tries again. Polling covers the time between.
      () => "broken" as const,
    );
    // While a device reaches two servers, connections may be replaced for each read. This one is replaced no more often
    // than once in WAITS.reconnectMs.
    const isDue = end === "replaced" && performance.now() - startedAt > WAITS.reconnectMs;
    if (!isDue) await sleep(WAITS.reconnectMs, undefined, { signal }).catch(() => {});
  }
}

/** Listens on one connection. Returns when it has broken or is to be replaced, or when `signal` aborts. */
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
  // Registered before the connection is made: a connection to the old primary may be made at the moment of the
  // replacement.
  using _ = db.onReplacement(() => stop("replaced"));
  const client = await connectTo(servers, config);
  try {
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) return "broken";
    client.on("error", onAbort);
    client.on("end", onAbort);
    client.on("notification", ({ channel, payload = "" }) => {
      if (channel === COMMAND_CHANNEL) {
        if (payload === device) handlers.onCommands();
        return;
      }
      if (channel === REGISTRY_CHANNEL) return handlers.onRegistry();
      const [from, ids = ""] = payload.split(" ");
      // This device already knows the heads that it announced itself.
      if (from !== device) handlers.onHeads(ids.split(",").filter(Boolean));
    });
    // The race, because the machine of the old primary may have vanished and would not answer.
    const listening = client
      .query(`listen ${CHANNEL}; listen ${COMMAND_CHANNEL}; listen ${REGISTRY_CHANNEL}`)
      .then(() => handlers.onReconnect());
    await Promise.race([listening, ended]);
    return await ended;
  } finally {
    // The signal lives as long as the process. Without this, every round would leave a listener while the database is
    // away.
    signal.removeEventListener("abort", onAbort);
    await closeSoon(client);
  }
}

/**
 * Ends the connection and destroys its socket after GOODBYE_MS at most: a server that vanished never answers the
 * goodbye.
 */
async function closeSoon(client: pg.Client): Promise<void> {
  const enough = new AbortController();
  const closed = client.end().catch(() => {});
  await Promise.race([closed, sleep(GOODBYE_MS, undefined, { signal: enough.signal }).catch(() => {})]);
  enough.abort();
  (client as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
}
