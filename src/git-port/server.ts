// The git port: serves packs to other devices, over mutual TLS. Devices of this project ask for a pack by ids. Stock
// git with a device's certificate finds upload-pack. ssh-server.ts serves the same to devices that come over ssh.
import { createServer, type Server } from "node:https";
import type { SecureContextOptions, TLSSocket } from "node:tls";
import { cutterOf } from "../io/connections.ts";
import type { SyncContext } from "../sync/device/context.ts";
import { ConnectionLimit, type HandshakeLimits, limitHandshakes } from "../tls/connection-limits.ts";
import { MUTUAL_TLS } from "../tls/mutual-tls.ts";
import type { Peers } from "../tls/peers.ts";
import type { Port } from "./answers.ts";
import { TlsCallers } from "./callers.ts";
import { answer } from "./route.ts";

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

export interface PackOptions {
  readonly listen: { host: string; port: number };
  readonly tls: SecureContextOptions;
  readonly peers: Peers;
  readonly port: Port;
  readonly handshakes: HandshakeLimits;
}

/** Serves packs to devices of the trust domain. */
export async function servePacks(context: SyncContext, options: PackOptions): Promise<PackListener> {
  const { peers, port, handshakes } = options;
  const callers = new TlsCallers(peers);
  const server = createServer(
    { ...options.tls, ...MUTUAL_TLS, ...TIMES, handshakeTimeout: handshakes.timeoutMs },
    (request, response) => void answer(port, callers, request, response),
  );
  const { limits } = context.metrics;
  limits.tell("git_handshakes", handshakes.most, limitHandshakes(server, handshakes.most));
  const connections = new ConnectionLimit(CONNECTIONS);
  limits.tell("git_connections_of_one", CONNECTIONS, () => connections.largest);
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
