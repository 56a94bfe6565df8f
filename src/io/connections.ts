// The connections that a server has accepted, and those that a client keeps. A TLS server lists a connection only after
// its handshake. A connection still in its handshake would delay the exit of the process by two minutes.
import type { Agent, Server as HttpServer, IncomingMessage, ServerResponse } from "node:http";
import type { Server, Socket } from "node:net";
import { Server as TlsServer } from "node:tls";

/** Returns a function that cuts every connection accepted by `server` since this call. */
export function cutterOf(server: Server): () => void {
  const open = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  return () => {
    for (const socket of open) socket.destroy();
  };
}

/**
 * Cuts the connection that has been idle for the longest when a server of HTTP has more than `most`. So clients that
 * connect and ask for nothing, or ask slowly, keep nobody out. When all connections have a request, the new one is cut.
 * Returns how to read how many there are.
 */
export function limitConnections(server: HttpServer, most: number): () => number {
  /** Those without a request, the longest idle one first. */
  const idle = new Set<Socket>();
  let count = 0;
  server.on(server instanceof TlsServer ? "secureConnection" : "connection", (socket: Socket) => {
    count += 1;
    idle.add(socket);
    socket.once("close", () => {
      count -= 1;
      idle.delete(socket);
    });
    const [longest] = idle;
    if (count > most) longest?.destroy();
  });
  server.on("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
    idle.delete(socket);
    response.once("close", () => socket.destroyed || idle.add(socket));
  });
  return () => count;
}

/**
 * The connections to a unix socket that have not said yet who they are. A burst of real clients must fit: the kernel
 * hands over up to 511 connections at once, before any of them can be read.
 */
export class Newcomers {
  readonly most: number;
  readonly #patienceMs: number;
  /** The longest waiting one first. */
  readonly #waiting = new Map<Socket, NodeJS.Timeout>();

  constructor({ most = 1_024, patienceMs = 10_000 }: { most?: number; patienceMs?: number } = {}) {
    this.most = most;
    this.#patienceMs = patienceMs;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Takes a new connection, and cuts it after a while. Beyond the limit it cuts the longest waiting one at once. */
  add(socket: Socket): void {
    this.#waiting.set(
      socket,
      setTimeout(() => socket.destroy(), this.#patienceMs),
    );
    socket.once("close", () => this.known(socket));
    if (this.#waiting.size <= this.most) return;
    const [[longest] = []] = this.#waiting;
    if (longest === undefined) return;
    this.known(longest);
    longest.destroy();
  }

  /** Says that a connection is no newcomer any more. */
  known(socket: Socket): void {
    clearTimeout(this.#waiting.get(socket));
    this.#waiting.delete(socket);
  }
}

/** Lets a client keep no connection of this agent any more, and cuts those in use after `graceMs`. */
export function drainAgent(agent: Agent, graceMs: number): void {
  // Node looks at this field whenever a request has ended.
  (agent as unknown as { keepAlive: boolean }).keepAlive = false;
  for (const socket of Object.values(agent.freeSockets).flatMap((sockets) => sockets ?? [])) socket.destroy();
  if (graceMs <= 0) agent.destroy();
  else setTimeout(() => agent.destroy(), graceMs).unref();
}
