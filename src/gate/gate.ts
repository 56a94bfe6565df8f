// The reference front end: git's smart HTTP protocol for stock git. It asks the sidecar before every request. A push is
// two requests. Behind a balancer they may reach two devices, so the answer to the first does not hold for the second.
import { once, setMaxListeners } from "node:events";
import { createServer, type ServerOptions } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { LockstepError } from "../errors.ts";
import { limitConnections } from "../io/connections.ts";
import { oneAtATime } from "../smart-http/one-at-a-time.ts";
import { WAITS } from "../waits.ts";
import { AnswerCache } from "./cache/answer-cache.ts";
import type { Grant } from "./cache/grant.ts";
import { SharedCalls } from "./cache/shared-calls.ts";
import { EarlyStarts } from "./early-start.ts";
import { type PlaceLimits, Places } from "./places.ts";
import { TELLING } from "./refuse.ts";
import { serve } from "./serve.ts";
import type { ServeOptions } from "./serve-options.ts";
import { type ConnectionTimes, HANDSHAKE_MS, type TlsSource, watchConnections } from "./tls/connections.ts";
import type { Crowd } from "./turn.ts";

/** git prepares a large pack between the two requests of a push. The connection is kept for that time. */
const KEEP_ALIVE_MS = 75_000;
const GRACE_MS = 10_000;
const RELOAD_MS = 900_000;
const CONNECTION_MS = 3_600_000;
/** Connections at once. The longest idle one makes room for a new one. */
const CONNECTIONS = 2_048;

/** Takes the name of a limit of a gate, and how to read how much of it is used. */
type TellLimit = (
  limit: "gate_connections" | "gate_requests" | "gate_line" | "gate_questions",
  most: number,
  used: () => number,
) => void;

/** The settings of a gate. */
export interface GateOptions extends ServeOptions {
  readonly host: string;
  /** 0 means any free port. */
  readonly port: number;
  /** Milliseconds for running requests to finish when the gate is disposed; default 10,000. */
  readonly graceMs?: number;
  /** Certificate and key for https. Without them the gate speaks plain HTTP. */
  readonly tls?: TlsSource;
  /** How long requests may go on over connections that are older than new files; default 900,000 milliseconds. */
  readonly reloadMs?: number;
  /** How long a connection over https takes requests; default 3,600,000 milliseconds. */
  readonly connectionMs?: number;
  /** For requests that have a git. */
  readonly placeLimits: PlaceLimits;
  /** For requests that ask the sidecar, or wait for a place. */
  readonly askingLimits: Pick<PlaceLimits, "requests" | "perAddress">;
  /** Takes how much of a limit is used. */
  readonly tellLimit?: TellLimit;
  /** How many bytes of git's answers about refs are kept; default 0. */
  readonly cacheBytes?: number;
}

/** A running gate. Disposing of it ends every connection and every git process that it started. */
export interface Gate extends AsyncDisposable {
  /** Such as `http://127.0.0.1:8080`, without a slash at the end. */
  readonly url: string;
}

/** Starts to listen. Throws the operating system's error when it cannot. */
export async function startGate({
  host,
  port,
  tls,
  placeLimits,
  askingLimits,
  cacheBytes = 0,
  tellLimit = () => {},
  graceMs = GRACE_MS,
  reloadMs = RELOAD_MS,
  connectionMs = CONNECTION_MS,
  ...given
}: GateOptions): Promise<Gate> {
  const options = { ...given, beforeRead: sharedReads(given.beforeRead) };
  const draining = new AbortController();
  const stopping = new AbortController();
  // Every running request listens.
  setMaxListeners(0, stopping.signal);
  const running = new Set<Promise<unknown>>();
  const unread = new Set<Promise<unknown>>();
  const shared = {
    draining: draining.signal,
    stopping: stopping.signal,
    earlyStarts: new EarlyStarts(),
    crowd: {
      asking: new Places({ ...askingLimits, waiting: 0, patienceMs: 0 }),
      serving: new Places(placeLimits),
      telling: new Places(TELLING),
    },
    answers: new AnswerCache(cacheBytes, options.env.HOME),
  };
  const settings = {
    // A pack may take any time. The kernel's probes find a client that went away without a word.
    requestTimeout: 0,
    headersTimeout: WAITS.gateHeadMs,
    connectionsCheckingInterval: 5_000,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
  };
  const server = tls ? secureServer(settings, tls, { reloadMs, connectionMs }, options.log) : createServer(settings);
  tellLimit("gate_connections", CONNECTIONS, limitConnections(server, CONNECTIONS));
  tellLimits(shared.crowd, tellLimit);
  const answer = oneAtATime((request, response) => {
    const served = serve(request, response, options, shared);
    keepWhilePending(running, served);
    keepWhilePending(unread, new Promise((resolve) => response.once("close", resolve)));
  });
  server.on("request", answer);
  server.listen(port, host);
  await once(server, "listening");

  return {
    url: `${tls ? "https" : "http"}://${placeOf(server.address() as AddressInfo)}`,
    async [Symbol.asyncDispose]() {
      const reason = new LockstepError("SHUTTING_DOWN", "This server is stopping; try again, or use another one.");
      const closed = once(server, "close");
      server.close();
      draining.abort(reason);
      await Promise.race([Promise.all([...running, ...unread]), sleep(graceMs, undefined, { ref: false })]);
      stopping.abort(reason);
      await Promise.all(running);
      server.closeAllConnections();
      await closed;
    },
  };
}

function tellLimits({ asking, serving }: Crowd, tell: TellLimit): void {
  tell("gate_requests", serving.most, () => serving.taken);
  tell("gate_line", serving.mostWaiting, () => serving.waiting);
  tell("gate_questions", asking.most, () => asking.taken);
}

function secureServer(settings: ServerOptions, tls: TlsSource, times: ConnectionTimes, log: ServeOptions["log"]) {
  const server = createTlsServer({ ...settings, handshakeTimeout: HANDSHAKE_MS, ...tls.current.options });
  watchConnections(tls, server, times, log);
  return server;
}

/** Requests that arrive together ask the sidecar once for each repository. */
function sharedReads(beforeRead: GateOptions["beforeRead"]): GateOptions["beforeRead"] {
  const calls = new SharedCalls<Grant>((key, signal) => {
    const [repository = "", forPush, since = ""] = key.split("\0");
    return beforeRead(repository, { signal, forPush: forPush === "push", since: since || undefined });
  });
  return (repository, { signal, forPush, since = "" }) =>
    calls.call([repository, forPush ? "push" : "read", since].join("\0"), signal);
}

function keepWhilePending(set: Set<Promise<unknown>>, promise: Promise<unknown>): void {
  set.add(promise);
  void promise.finally(() => set.delete(promise));
}

function placeOf({ family, address, port }: AddressInfo): string {
  return family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`;
}
