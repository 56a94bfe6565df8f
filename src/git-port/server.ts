// The git port: serves packs to other devices, over mutual TLS. Devices of this project ask for a pack by ids. Stock
// git with a device's certificate finds upload-pack.
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { SecureContextOptions, TLSSocket } from "node:tls";
import { describe, ERROR_TABLE, LockstepError } from "../errors.ts";
import { ASK_HEADER, DIRECTORY_PATH, HOLD_PATH, PACK_PATH } from "../git/objects/pack-stream.ts";
import { cutterOf } from "../io/connections.ts";
import { asRefusal } from "../smart-http/refusal.ts";
import { catchUp } from "../sync/catch-up/catch-up.ts";
import type { SyncContext } from "../sync/device/context.ts";
import { PackServer } from "../sync/objects/serve-pack.ts";
import { ConnectionLimit, limitHandshakes } from "../tls/connection-limits.ts";
import { MUTUAL_TLS } from "../tls/mutual-tls.ts";
import type { Peers } from "../tls/peers.ts";
import { hold, type Port, sendPack, tellDirectory } from "./answers.ts";
import { HoldPlaces } from "./hold-places.ts";
import { WholeBodies } from "./request-whole.ts";
import { serveUploadPack } from "./upload-pack.ts";

export interface PackListener {
  readonly port: number;
  /** Uses these credentials for new connections, and ends those that are idle. */
  use(credentials: SecureContextOptions): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A client that sends the head of its request more slowly is cut off. WholeBodies watches the rest. */
const TIMES = {
  keepAliveTimeout: 120_000,
  headersTimeout: 10_000,
  requestTimeout: 0,
  connectionsCheckingInterval: 5_000,
};
/** Connections of one certificate. Each carries one request at a time; a device uses up to half of this at once. */
const CONNECTIONS = 128;

/** Serves packs to devices of the trust domain. */
export async function servePacks(
  context: SyncContext,
  options: { listen: { host: string; port: number }; tls: SecureContextOptions; peers: Peers },
): Promise<PackListener> {
  // The peer has another source meanwhile. A failure is logged, and the next access tries again.
  const { signal } = context;
  const packs = new PackServer(context, (replica) => void catchUp(context, replica, 0n, { signal }).catch(() => {}));
  const { peers } = options;
  const { device } = context.me;
  const port = { context, packs, peers, bodies: new WholeBodies(device), holds: new HoldPlaces(device) };
  const server = createServer(
    { ...options.tls, ...MUTUAL_TLS, ...TIMES },
    (request, response) => void answer(port, request, response),
  );
  limitHandshakes(server);
  const connections = new ConnectionLimit(CONNECTIONS);
  admitOnly(server, (socket) => peers.watch(socket, connections));
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
  { peers, ...port }: Port & { readonly peers: Peers },
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
    const asked = { ...port, device, request, response, gone: gone.signal };
    if (request.url === HOLD_PATH && request.method === "POST") await hold(asked);
    else if (request.url === DIRECTORY_PATH && request.method === "POST") await tellDirectory(asked);
    else if (request.url !== PACK_PATH) await serveUploadPack(asked);
    else if (request.method === "POST") await sendPack(asked);
    else throw new LockstepError("INVALID_REQUEST", "A request for a pack must use POST.");
  } catch (error) {
    if (error instanceof LockstepError && error.code === "PERMISSION_DENIED")
      peers.refused(request.socket as TLSSocket, error);
    // If the peer has gone, its work was stopped for that reason.
    if (!gone.signal.aborted) refuse(port.context, request, response, error);
  }
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

/** Returns the name of the asking device. Throws UNAUTHENTICATED. */
async function askingDevice(peers: Peers, socket: TLSSocket): Promise<string> {
  if (peers.ownerOf(socket)?.role !== "device") {
    const error = new LockstepError("UNAUTHENTICATED", "Only devices of this trust domain may ask for packs.");
    peers.refused(socket, error);
    throw error;
  }
  return (await peers.admit(socket)).name;
}
