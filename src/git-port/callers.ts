// Who asks on a connection of the git port: a device with its certificate, or one that came over ssh.
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { LockstepError } from "../errors.ts";
import type { ConnectionLimit } from "../tls/connection-limits.ts";
import type { Peers } from "../tls/peers.ts";
import type { Refused } from "../tls/trust.ts";

/** The callers of one kind of connection. */
export interface Callers {
  /** Returns the name of the device. Throws UNAUTHENTICATED when it may not ask any more. */
  admit(socket: Duplex): Promise<string>;
  /** Returns true when the connection should end after its current request. */
  isOld(socket: Duplex): boolean;
  /** Says that a request on this connection was refused. */
  refused(socket: Duplex, error: LockstepError): void;
}

/** The devices that have shown a certificate. */
export class TlsCallers implements Callers {
  readonly #peers: Peers;

  constructor(peers: Peers) {
    this.#peers = peers;
  }

  async admit(socket: Duplex): Promise<string> {
    if (this.#peers.ownerOf(socket as TLSSocket)?.role !== "device") {
      const error = new LockstepError("UNAUTHENTICATED", "Only devices of this trust domain may ask for packs.");
      this.refused(socket, error);
      throw error;
    }
    return (await this.#peers.admit(socket)).name;
  }

  isOld(socket: Duplex): boolean {
    return this.#peers.isOld(socket as TLSSocket);
  }

  refused(socket: Duplex, error: LockstepError): void {
    this.#peers.refused(socket as TLSSocket, error);
  }
}

/** A device that came over ssh, with the fingerprint of its key, and the address from which it came. */
export interface SshCaller {
  readonly device: string;
  readonly fingerprint: string;
  readonly from: string;
}

/** Knows which ssh keys of devices are trusted. */
export interface SshTrust {
  /** Returns why a device with this key is not let in, or undefined. May throw a LockstepError too. */
  check(caller: SshCaller): Promise<LockstepError | undefined>;
  /** Returns why its connection is to be cut, or undefined. It never asks the database. */
  revokedError(caller: SshCaller): LockstepError | undefined;
  /** Calls `listener` when answers may have changed. */
  onChange(listener: () => void): Disposable;
}

export interface SshCallersOptions {
  readonly trust: SshTrust;
  readonly log: { warn: (fields: Record<string, unknown>, message: string) => void };
  /** Is told of callers that were refused. */
  readonly onRefused: (refused: Refused) => void;
  /** How long a connection takes requests at most, in milliseconds. */
  readonly maxAgeMs: number;
  /** Limits the connections of one device. */
  readonly connections: ConnectionLimit;
}

interface Connection {
  readonly caller: SshCaller;
  /** As `performance.now()`. */
  readonly since: number;
}

/** The devices that came over ssh. sshd has checked their keys; here the registry is asked. */
export class SshCallers implements Callers, Disposable {
  readonly #options: SshCallersOptions;
  readonly #open = new Map<Duplex, Connection>();
  readonly #change: Disposable;

  constructor(options: SshCallersOptions) {
    this.#options = options;
    this.#change = options.trust.onChange(() => this.#cutRevoked());
  }

  /** How many connections there are. */
  get size(): number {
    return this.#open.size;
  }

  /** Takes a new connection. Throws UNAUTHENTICATED when its key is not trusted or it has ended, and QUEUE_FULL. */
  async take(socket: Duplex, caller: SshCaller): Promise<void> {
    const { trust, connections } = this.#options;
    const refusal = (await trust.check(caller)) ?? overError(caller, connections, socket);
    if (refusal !== undefined) {
      this.#note(caller, refusal);
      throw refusal;
    }
    // The registry may have been asked for longer than the device waits. Then nothing says any more that it closes.
    if (socket.destroyed) throw endedError();
    this.#open.set(socket, { caller, since: performance.now() });
    socket.once("close", () => this.#open.delete(socket));
  }

  async admit(socket: Duplex): Promise<string> {
    const connection = this.#open.get(socket);
    if (connection === undefined) throw endedError();
    const { caller, since } = connection;
    const refusal = this.#options.trust.revokedError(caller);
    if (refusal !== undefined) {
      this.#note(caller, refusal);
      throw refusal;
    }
    if (performance.now() - since <= this.#options.maxAgeMs) return caller.device;
    throw new LockstepError(
      "UNAUTHENTICATED",
      `This connection is older than ${this.#options.maxAgeMs / 1000} s; connect again.`,
    );
  }

  isOld(socket: Duplex): boolean {
    const { since = Number.NEGATIVE_INFINITY } = this.#open.get(socket) ?? {};
    return performance.now() - since > this.#options.maxAgeMs * DRAIN_FROM;
  }

  refused(socket: Duplex, error: LockstepError): void {
    const connection = this.#open.get(socket);
    if (connection) this.#note(connection.caller, error);
  }

  #note({ device, from }: SshCaller, { code, message: why }: LockstepError): void {
    this.#options.onRefused({ who: `device ${device}`, from, code, why });
  }

  #cutRevoked(): void {
    for (const [socket, { caller }] of this.#open) {
      const refusal = this.#options.trust.revokedError(caller);
      if (refusal === undefined) continue;
      const { device, from } = caller;
      this.#options.log.warn({ peer: `device ${device}`, from, err: refusal.message }, "ended a connection over ssh");
      socket.destroy();
    }
  }

  [Symbol.dispose](): void {
    this.#change[Symbol.dispose]();
    for (const socket of this.#open.keys()) socket.destroy();
  }
}

/** A connection takes no new requests in the last fifth of its time, so that running ones can end. */
const DRAIN_FROM = 0.8;

/** Counts the connection. Returns an error if its device has too many. */
function overError({ device }: SshCaller, connections: ConnectionLimit, socket: Duplex): LockstepError | undefined {
  if (socket.destroyed || connections.count(device, socket) <= connections.most) return undefined;
  return new LockstepError(
    "QUEUE_FULL",
    `Device ${device} has ${connections.most} connections over ssh to this device already, which is the limit; try again later.`,
    { details: { device } },
  );
}

function endedError(): LockstepError {
  return new LockstepError("UNAUTHENTICATED", "This connection has ended.");
}
