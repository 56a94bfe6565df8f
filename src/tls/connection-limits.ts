// Limits of the ports with mutual TLS: connections that have not shown a certificate yet, and connections of one
// certificate.
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Server, TLSSocket } from "node:tls";

/** What connections without a certificate may cost, for each port. */
export interface HandshakeLimits {
  /** Connections in their handshake. */
  readonly most: number;
  /** How long a handshake may take, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Cuts the oldest connection in its handshake when there are more than `most` of them. A handshake takes milliseconds,
 * so the oldest one is the least likely to end well. Returns how to read how many there are.
 */
export function limitHandshakes(server: Server, most: number): () => number {
  // By the address of the other side: the TLS server makes another socket object of an accepted connection.
  const open = new Map<string, Socket>();
  const placeOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`;
  server.on("connection", (socket: Socket) => {
    const place = placeOf(socket);
    open.set(place, socket);
    const end = () => {
      if (open.get(place) === socket) open.delete(place);
    };
    socket.once("close", end);
    if (open.size <= most) return;
    const [oldest] = open;
    if (oldest === undefined) return;
    open.delete(oldest[0]);
    oldest[1].destroy();
  });
  const done = (socket: TLSSocket) => void open.delete(placeOf(socket));
  // First, since a later listener may end the connection, and then its address is gone.
  server.prependListener("secureConnection", done);
  return () => open.size;
}

/** Counts the connections of each certificate, or of each device, on one port. */
export class ConnectionLimit {
  readonly most: number;
  readonly #open = new Map<string, number>();

  constructor(most: number) {
    this.most = most;
  }

  /** The connections of the owner that has the most. */
  get largest(): number {
    return Math.max(0, ...this.#open.values());
  }

  /**
   * Counts a connection until it closes. Returns how many there are with it. The `owner` is a key, a device, or
   * one text for all certificates that name nobody.
   */
  count(owner: string, socket: Duplex): number {
    const count = (this.#open.get(owner) ?? 0) + 1;
    this.#open.set(owner, count);
    socket.once("close", () => {
      const left = (this.#open.get(owner) ?? 1) - 1;
      if (left > 0) this.#open.set(owner, left);
      else this.#open.delete(owner);
    });
    return count;
  }
}
