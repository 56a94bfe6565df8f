// The git port: serves packs to other devices, over mutual TLS. Devices of this project ask for a pack by ids. Stock
// git with a device's certificate finds upload-pack.
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { pipeline } from "node:stream/promises";
import type { SecureContextOptions, TLSSocket } from "node:tls";
import { describe, ERROR_TABLE, LockstepError } from "../errors.ts";
import { ASK_HEADER, DIRECTORY_PATH, HOLD_PATH, PACK_PATH } from "../git/objects/pack-stream.ts";
import { cutterOf } from "../io/connections.ts";
import { asRefusal } from "../smart-http/refusal.ts";
import { lookAtDirectory } from "../sync/adopt/look-at-directory.ts";
import { catchUp } from "../sync/catch-up/catch-up.ts";
import { holdObjects } from "../sync/copies/hold-objects.ts";
import type { SyncContext } from "../sync/device/context.ts";
import { PackServer } from "../sync/objects/serve-pack.ts";
import { MUTUAL_TLS } from "../tls/mutual-tls.ts";
import type { Peers } from "../tls/peers.ts";
import { WAITS } from "../waits.ts";
import { mayAskAbout, mayFetchPack, mayRequestCopies } from "./device-limits.ts";
import { wholeBody } from "./request-whole.ts";
import { watchResponse } from "./response-watch.ts";
import { serveUploadPack } from "./upload-pack.ts";

export interface PackListener {
  readonly port: number;
  /** Uses these credentials for new connections, and ends those that are idle. */
  use(credentials: SecureContextOptions): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Serves packs to devices of the trust domain. */
export async function servePacks(
  context: SyncContext,
  options: { listen: { host: string; port: number }; tls: SecureContextOptions; peers: Peers },
): Promise<PackListener> {
  // The peer has another source meanwhile. A failure is logged, and the next access tries again.
  const { signal } = context;
  const packs = new PackServer(context, (replica) => void catchUp(context, replica, 0n, { signal }).catch(() => {}));
  const { peers } = options;
  const server = createServer(
    { ...options.tls, ...MUTUAL_TLS, keepAliveTimeout: 120_000 },
    (request, response) => void answer(context, packs, peers, request, response),
  );
  admitOnly(server, (socket) => peers.watch(socket));
  const cutConnections = cutterOf(server);
  server.on("tlsClientError", (error) => context.log.debug({ err: error.message }, "refused a TLS connection"));
  await new Promise<void>((done, failed) =>
    server.once("error", failed).listen(options.listen.port, options.listen.host, done),
  );
  return {
    port: (server.address() as { port: number }).port,
    use(credentials) {
      server.setSecureContext({ ...credentials, ...MUTUAL_TLS });
      server.closeIdleConnections();
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((done) => server.close(() => done()));
      cutConnections();
      await closed;
    },
  };
}

/** Lets the server see only connections that `accept` takes. */
function admitOnly(server: Server, accept: (socket: TLSSocket) => boolean): void {
  const taking = server.listeners("secureConnection") as ((socket: TLSSocket) => void)[];
  server.removeAllListeners("secureConnection");
  server.on("secureConnection", (socket) => {
    if (accept(socket)) for (const take of taking) take.call(server, socket);
  });
}

async function answer(
  context: SyncContext,
  packs: PackServer,
  peers: Peers,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // A pipelined request has no connection of its own that could be cut. No client of ours sends one.
  if (response.socket === null) return void request.socket.destroy();
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  // A peer may leave at any moment; the writing code learns it from `close`.
  response.on("error", () => {});
  try {
    const socket = request.socket as TLSSocket;
    if (peers.isOld(socket)) response.setHeader("connection", "close");
    const device = await askingDevice(peers, socket);
    if (request.url === HOLD_PATH && request.method === "POST")
      await hold(context, device, request, response, gone.signal);
    else if (request.url === DIRECTORY_PATH && request.method === "POST")
      await tellDirectory(context, device, request, response, gone.signal);
    else if (request.url !== PACK_PATH) await serveUploadPack(context, packs, device, request, response);
    else if (request.method === "POST") await sendPack(context, packs, device, request, response, gone.signal);
    else throw new LockstepError("INVALID_REQUEST", "A request for a pack must use POST.");
  } catch (error) {
    if (error instanceof LockstepError && error.code === "PERMISSION_DENIED")
      peers.refused(request.socket as TLSSocket, error);
    // If the peer has gone, its work was stopped for that reason.
    if (!gone.signal.aborted) refuse(context, request, response, error);
  }
}

/** The shortest time between two signs to a peer that the work goes on. */
const ALIVE_MS = 500;

/**
 * Returns a function that tells the peer that the work goes on, while there is nothing else to send yet. Call it only
 * at progress of the work: a peer that could ask another device does not care that this process lives.
 */
function heartbeat(response: ServerResponse): () => void {
  let told = Number.NEGATIVE_INFINITY;
  return () => {
    const now = performance.now();
    if (response.headersSent || response.destroyed || now - told < ALIVE_MS) return;
    told = now;
    response.writeProcessing();
  };
}

async function sendPack(
  context: SyncContext,
  packs: PackServer,
  device: string,
  request: IncomingMessage,
  response: ServerResponse,
  gone: AbortSignal,
): Promise<void> {
  const asked = await readJson(request);
  await mayFetchPack(context, device, asked);
  const { pack, done } = await packs.open(device, asked, gone, heartbeat(response));
  response.writeHead(200, { "content-type": "application/x-git-packed-objects" });
  // Not disposed of here: it ends with the response, which the peer may not have taken yet.
  watchResponse(request, response, WAITS.gitStallMs);
  // The response ends only when git ended well: a pack that is cut off must not look whole.
  await Promise.all([pipeline(pack, response, { end: false }), done]);
  response.end();
}

/**
 * Fetches objects from the asking device, which is about to write them, and keeps them. No other request changes
 * anything here.
 */
async function hold(
  context: SyncContext,
  device: string,
  request: IncomingMessage,
  response: ServerResponse,
  gone: AbortSignal,
): Promise<void> {
  const asked = await readJson(request);
  await mayRequestCopies(context, device, asked);
  await holdObjects(context, device, asked, { signal: gone, onWork: heartbeat(response) });
  response.writeHead(204).end();
}

/** Answers another device that asks what lies at the place of a repository here. */
async function tellDirectory(
  context: SyncContext,
  device: string,
  request: IncomingMessage,
  response: ServerResponse,
  gone: AbortSignal,
): Promise<void> {
  const question = await readJson(request);
  await mayAskAbout(context, device, question);
  const answer = await lookAtDirectory(context, question, gone);
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
}

function refuse(context: SyncContext, request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, message, headers } = isOurs(request) ? packRefusal(error) : gitRefusal(error);
  if (status === 500) context.log.error({ err: error }, "a request for a pack failed");
  response.writeHead(status, { ...headers, "content-type": "text/plain; charset=utf-8" }).end(`${message}\n`);
  request.unpipe().resume();
}

function isOurs({ url }: IncomingMessage): boolean {
  return url === PACK_PATH || url === HOLD_PATH || url === DIRECTORY_PATH;
}

/** Makes the answer for any client of git, but with the reason: a device is not a stranger. */
function gitRefusal(error: unknown): { status: number; message: string; headers: Readonly<Record<string, string>> } {
  const { status, message, headers } = asRefusal(error);
  const known = error instanceof LockstepError && error.code !== "INTERNAL";
  return { status, message: known ? describe(error) : message, headers };
}

const REFUSED: ReadonlySet<string> = new Set(["UNAUTHENTICATED", "PERMISSION_DENIED"]);

/** Makes the answer to a pack request. Never 404 or 501: those would say that this device has no pack stream. */
function packRefusal(error: unknown): { status: number; message: string; headers: Record<string, string> } {
  if (!(error instanceof LockstepError) || error.code === "INTERNAL") {
    return { status: 500, message: "An internal error; the log of this device has it.", headers: {} };
  }
  const status = ERROR_TABLE[error.code].grpc === "UNAVAILABLE" ? 503 : REFUSED.has(error.code) ? 403 : 400;
  const headers = error.code === "QUEUE_FULL" ? { [ASK_HEADER]: error.details.ask ?? "" } : {};
  return { status, message: describe(error), headers: headers as Record<string, string> };
}

/** Returns the parsed body of a request. Throws INVALID_REQUEST when it is too long or is not JSON. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const body = await wholeBody(request);
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (cause) {
    throw new LockstepError("INVALID_REQUEST", "The pack request is not JSON.", { cause });
  }
}

/** Returns the name of the asking device. Throws UNAUTHENTICATED. */
async function askingDevice(peers: Peers, socket: TLSSocket): Promise<string> {
  if (peers.ownerOf(socket)?.role !== "device") {
    const error = new LockstepError("UNAUTHENTICATED", "Only devices of this trust domain may ask for packs.");
    peers.refused(socket, error);
    throw error;
  }
  return (await peers.admit(socket)).name;
}
