// The two gRPC servers: one behind mutual TLS 1.3 for devices, front ends and operators, and one on a unix socket for
// this machine.
import { setMaxListeners } from "node:events";
import { chmod, rm } from "node:fs/promises";
import { createServer as createTlsServer, type SecureContextOptions } from "node:tls";
import { type ChannelOptions, Server, ServerCredentials, type UntypedServiceImplementation } from "@grpc/grpc-js";
import type { Logger } from "pino";
import { cutterOf } from "../io/connections.ts";
import { loadServices } from "../protocol/proto.ts";
import { type Act, insertAudit } from "../store/registry/audit.ts";
import type { SyncContext } from "../sync/device/context.ts";
import { ConnectionLimit, type HandshakeLimits, limitHandshakes } from "../tls/connection-limits.ts";
import { MUTUAL_TLS } from "../tls/mutual-tls.ts";
import type { Peers } from "../tls/peers.ts";
import { type Authenticate, type CallOptions, certificateCaller, localCaller } from "./call/call.ts";
import type { CallerLimits } from "./call/limits.ts";
import { streamEndedError } from "./call/paced.ts";
import { checkRoles } from "./call/roles.ts";
import { clusterHandlers, syncHandlers } from "./handlers.ts";
import { Watches } from "./health-watches.ts";
import { HEALTH, Health, lateService, REFLECTION } from "./late-services.ts";
import { addReflection } from "./reflection.ts";

export interface RpcServers {
  /** The port of the TLS server. */
  readonly port: number;
  readonly setServing: (serving: boolean) => void;
  /** Uses these credentials for new connections, and ends the old ones within `graceMs`. */
  use(credentials: SecureContextOptions, graceMs: number): void;
  /** Refuses new calls, waits up to `graceMs` for the running ones, then cuts the rest. */
  stop(graceMs: number): Promise<void>;
}

export interface RpcOptions {
  readonly socketPath: string;
  readonly listen: { host: string; port: number };
  readonly tls: SecureContextOptions;
  readonly peers: Peers;
  readonly limits: RpcLimits;
  readonly accessOf: CallerLimits["accessOf"];
  readonly onRefused: CallOptions["onRefused"];
  readonly log: Logger;
}

/** What callers from other machines may cost. */
export interface RpcLimits {
  readonly handshakes: HandshakeLimits;
  /** How many connections a certificate may have. */
  readonly connections: number;
  /** Calls at once of one connection. Further ones wait in the client. */
  readonly calls: number;
}

/** Starts both servers. They answer NOT_SERVING to health checks until `setServing(true)`. */
export async function serveRpc(context: SyncContext, options: RpcOptions): Promise<RpcServers> {
  const services = loadServices();
  checkRoles(services);
  const health = new Health(["", ...Object.keys(services)]);
  const watches = new Watches((certificate) => options.peers.keyOf(certificate));
  const addHealth = lateService(HEALTH, (server) => health.addTo(watches.keptOf(server)));
  const reflect = lateService(REFLECTION, addReflection);
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal);
  const build = (authenticate: Authenticate, ages: ChannelOptions = {}): Server => {
    const server = new Server({ "grpc.max_receive_message_length": 4 << 20, ...ages });
    const call = {
      ...{ authenticate, log: options.log, stopping: stopping.signal, onRefused: options.onRefused },
      limits: {
        accessOf: options.accessOf,
        holds: async (device: string, name: string) => (await context.holds(device, { name })) === true,
      },
      record: async (act: Act) => await insertAudit(context.db, [act]),
    };
    add(server, services["lockstep.v1.SyncService"], syncHandlers(context, call));
    add(server, services["lockstep.v1.ClusterService"], clusterHandlers(context, call));
    addHealth(server);
    reflect(server);
    return server;
  };
  const local = build(localCaller);
  const { handshakes, calls, connections: most } = options.limits;
  const limits = { ...agesOf(options.peers), "grpc.max_concurrent_streams": calls };
  const remote = build(certificateCaller(options.peers), limits);
  const connections = new ConnectionLimit(most);
  const inject = () => remote.createConnectionInjector(ServerCredentials.createInsecure());
  let injector = inject();
  // We run the TLS server: the one of grpc-js accepts TLS 1.2 and cannot change certificates while it runs.
  const tls = createTlsServer(
    { ...options.tls, ...MUTUAL_TLS, handshakeTimeout: handshakes.timeoutMs, ALPNProtocols: ["h2"] },
    (socket) => options.peers.watch(socket, connections) && injector.injectConnection(socket),
  );
  context.metrics.limits.tell("grpc_handshakes", handshakes.most, limitHandshakes(tls, handshakes.most));
  context.metrics.limits.tell("grpc_connections_of_one", connections.most, () => connections.largest);
  const cutConnections = cutterOf(tls);
  tls.on("tlsClientError", (error, socket) => {
    options.log.debug({ err: error.message, from: socket.remoteAddress }, "refused a TLS connection");
    socket.destroy();
  });
  const stop = async (graceMs: number) => {
    tls.close();
    watches.end();
    stopping.abort(streamEndedError(context.me.device));
    await Promise.all([shutdown(local, graceMs), shutdown(remote, graceMs)]);
    cutConnections();
  };
  try {
    await listenOnSocket(local, options.socketPath);
    await new Promise<void>((done, failed) =>
      tls.once("error", failed).listen(options.listen.port, options.listen.host, done),
    );
  } catch (error) {
    await stop(0);
    throw error;
  }
  return {
    port: (tls.address() as { port: number }).port,
    setServing: (serving) => health.setServing(serving),
    use(credentials, graceMs) {
      tls.setSecureContext({ ...credentials, ...MUTUAL_TLS });
      const old = injector;
      injector = inject();
      // Clients connect again for new calls, and running calls may end.
      old.drain(graceMs);
      setTimeout(() => old.destroy(), graceMs).unref();
    },
    stop,
  };
}

/**
 * Returns the ages at which a client is asked to connect again, and at which its running calls are cut. grpc-js varies
 * the age by a tenth.
 */
function agesOf({ maxAgeMs }: Peers): ChannelOptions {
  return { "grpc.max_connection_age_ms": maxAgeMs * 0.8, "grpc.max_connection_age_grace_ms": maxAgeMs * 0.12 };
}

function add(
  server: Server,
  service: { service: Parameters<Server["addService"]>[0] } | undefined,
  handlers: UntypedServiceImplementation,
) {
  if (service === undefined) throw new Error("a service is missing from the protocol files");
  server.addService(service.service, handlers);
}

async function listenOnSocket(server: Server, path: string): Promise<void> {
  await rm(path, { force: true });
  await new Promise<void>((done, failed) => {
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) => (error ? failed(error) : done()));
  });
  await chmod(path, 0o600);
}

async function shutdown(server: Server, graceMs: number): Promise<void> {
  await new Promise<void>((done) => {
    const timer = setTimeout(() => {
      server.forceShutdown();
      done();
    }, graceMs);
    server.tryShutdown(() => {
      clearTimeout(timer);
      done();
    });
  });
}
