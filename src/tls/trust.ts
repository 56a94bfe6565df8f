// The ports know this of a connection, and ask this about the key that it has shown.
import type { TLSSocket } from "node:tls";
import type { LockstepError } from "../errors.ts";
import type { Identity } from "./identity.ts";
import type { PeerCertificate } from "./peer-certificate.ts";

/** The owner of a certificate and the key that it has shown. */
export interface ShownKey {
  readonly identity: Identity;
  readonly key: PeerCertificate["key"];
  /** The key has not been let in on this connection before. */
  readonly isNew: boolean;
  /** The address of the other side. */
  readonly from: string;
}

/** Knows which keys are trusted. */
export interface TrustCheck {
  /**
   * Returns why this key is not let in, or undefined. It is asked at each request, so it should answer from memory. It
   * may throw a LockstepError too.
   */
  check(shown: ShownKey): Promise<LockstepError | undefined> | LockstepError | undefined;
  /** Returns why a connection that has asked for nothing yet is to be cut, or undefined. It never asks the database. */
  revokedError?(shown: ShownKey): LockstepError | undefined;
  /** Returns a text that changes with what the owner of a certificate may do. Its connections then end. */
  limitsOf?(identity: Identity): string;
  /** Calls `listener` when answers may have changed. All open connections are then checked again. */
  onChange(listener: () => void): Disposable;
}

/**
 * A certificate that was refused, or a password. `who`: its role and name; empty: it names nobody. `way`: how the gate
 * knows its users; undefined: it came to a port of the sidecar.
 */
export interface Refused {
  readonly who: string;
  readonly from: string;
  readonly code: string;
  readonly why: string;
  readonly way?: string;
}

/** A connection whose handshake is done. */
export interface Connection {
  readonly socket: TLSSocket;
  readonly certificate: PeerCertificate;
  /** As `performance.now()`, which nobody can set. */
  readonly since: number;
  /** The key has been trusted on this connection. */
  admitted: boolean;
  /** What its owner could do when the key was first trusted here. */
  limits: string | undefined;
  /** When it is cut since this device has new credentials, as `performance.now()`. Before that it only drains. */
  cutAt: number | undefined;
  /** Why nothing is answered here: its certificate has too many connections. */
  readonly over: LockstepError | undefined;
}

/** Returns a connection on which nobody has asked for anything yet. */
export function newConnection(
  socket: TLSSocket,
  certificate: PeerCertificate,
  over: LockstepError | undefined,
): Connection {
  const fresh = { admitted: false, limits: undefined, cutAt: undefined };
  return { socket, certificate, since: performance.now(), ...fresh, over };
}

/** Returns the key that a connection has shown. */
export function shownBy({ socket, certificate, admitted }: Connection, identity: Identity): ShownKey {
  return { identity, key: certificate.key, isNew: !admitted, from: socket.remoteAddress ?? "" };
}
