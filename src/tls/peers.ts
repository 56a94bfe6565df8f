// Decides who may use a connection of the gRPC port and of the git port, at each request. TLS has checked the
// certificate in the handshake, but a connection may live longer than its certificate or the trust in its key.
import type { TLSSocket } from "node:tls";
import type { Logger } from "pino";
import { LockstepError } from "../errors.ts";
import type { ConnectionLimit } from "./connection-limits.ts";
import type { Identity } from "./identity.ts";
import { peerCertificate } from "./peer-certificate.ts";
import { endOf, faultOf, keyOf, NOBODY, namelessError, overError, ownerText, tooOldError } from "./peer-sentences.ts";
import { type Connection, newConnection, type Refused, shownBy, type TrustCheck } from "./trust.ts";

const HOUR_MS = 3_600_000;
/** Between two looks at all connections. A connection is cut this much after its end at the latest. */
const SWEEP_MS = 1_000;
/** A connection beyond the limit of its certificate may hear the reason for this long. */
const OVER_MS = 1_000;
/** A connection takes no new requests in the last fifth of its time, so that running ones can end. */
const DRAIN_FROM = 0.8;

export interface PeersOptions {
  readonly trustDomain: string;
  readonly trust: TrustCheck;
  readonly log: Pick<Logger, "warn" | "info">;
  /** Is told of certificates that were refused. */
  readonly onRefused?: (refused: Refused) => void;
  /** How long a connection is used at most, in milliseconds. Default: an hour. */
  readonly maxAgeMs?: number;
}

/** Holds the open TLS connections, and closes those whose certificate may not be used any more. */
export class Peers {
  readonly trustDomain: string;
  readonly maxAgeMs: number;
  readonly #trust: TrustCheck;
  readonly #log: PeersOptions["log"];
  readonly #onRefused: (refused: Refused) => void;
  readonly #open = new Set<Connection>();
  /** By the socket, and by the one certificate object that the socket gives out. */
  readonly #byObject = new WeakMap<object, Connection>();
  readonly #sweep: NodeJS.Timeout;
  readonly #change: Disposable;

  constructor({ trustDomain, trust, log, onRefused = () => {}, maxAgeMs = HOUR_MS }: PeersOptions) {
    this.trustDomain = trustDomain;
    this.maxAgeMs = maxAgeMs;
    this.#trust = trust;
    this.#log = log;
    this.#onRefused = onRefused;
    this.#sweep = setInterval(() => this.#cutEnded(), SWEEP_MS).unref();
    this.#change = trust.onChange(() => void this.#checkAgain());
  }

  /**
   * Takes a connection whose handshake is done, and cuts it when its certificate ends or its key is not trusted any
   * more. Returns false when TLS has found a fault in the certificate; the connection is then gone.
   *
   * The TLS server must ask for certificates and not reject any, so that the log can say whose certificate is refused.
   * A connection beyond `limit` is told so with its first request. Twice as many beyond are cut at once.
   */
  watch(socket: TLSSocket, limit?: ConnectionLimit): boolean {
    const certificate = peerCertificate(socket, this.trustDomain);
    if (!socket.authorized || certificate === undefined) {
      const why = faultOf(socket, certificate);
      this.#log.warn({ from: socket.remoteAddress, err: why }, "refused a TLS connection");
      const who = certificate?.identity ? ownerText(certificate.identity) : "";
      this.#onRefused({ who, from: socket.remoteAddress ?? "", code: "UNAUTHENTICATED", why });
      socket.destroy();
      return false;
    }
    const owner = keyOf(certificate);
    const count = limit?.count(owner, socket) ?? 0;
    const most = limit?.most ?? 0;
    const over = count > most ? overError(certificate, most) : undefined;
    if (over !== undefined) {
      this.refused(socket, over, certificate.identity);
      setTimeout(() => socket.destroy(), count > 2 * most ? 0 : OVER_MS).unref();
    }
    const connection = newConnection(socket, certificate, over);
    this.#open.add(connection);
    socket.once("close", () => this.#open.delete(connection));
    // grpc-js shows a call only the certificate of its connection. So each connection gives out one object for its
    // whole life, and that object leads back to it.
    const shown = socket.getPeerCertificate();
    socket.getPeerCertificate = (() => shown) as TLSSocket["getPeerCertificate"];
    this.#byObject.set(socket, connection).set(shown, connection);
    return true;
  }

  /**
   * Returns whose connection this is, for one request. `of`: its socket, or the certificate object that the socket
   * gives out. Throws UNAUTHENTICATED when the certificate is not valid now or names nobody, and what the check of
   * trust says.
   */
  async admit(of: object | undefined): Promise<Identity> {
    const connection = of === undefined ? undefined : this.#byObject.get(of);
    if (connection === undefined)
      throw new LockstepError("UNAUTHENTICATED", "This connection has shown no certificate; use one of the cluster.");
    if (connection.over !== undefined) throw connection.over;
    try {
      return await this.#admit(connection);
    } catch (error) {
      if (error instanceof LockstepError && error.code === "UNAUTHENTICATED") this.refused(connection.socket, error);
      throw error;
    }
  }

  /** Says that a request on this connection was refused. */
  refused(socket: TLSSocket, { code, message }: LockstepError, identity = this.ownerOf(socket)): void {
    const who = identity ? ownerText(identity) : "";
    this.#onRefused({ who, from: socket.remoteAddress ?? "", code, why: message });
  }

  async #admit(connection: Connection): Promise<Identity> {
    const { certificate } = connection;
    if (certificate.identity === undefined) throw namelessError(this.trustDomain);
    const ended = endOf(certificate, Date.now());
    if (ended !== undefined) throw new LockstepError("UNAUTHENTICATED", ended);
    if (performance.now() - connection.since > this.maxAgeMs) throw tooOldError(this.maxAgeMs);
    const refusal = await this.#trust.check(shownBy(connection, certificate.identity));
    if (refusal !== undefined) throw refusal;
    if (!connection.admitted) connection.limits = this.#trust.limitsOf?.(certificate.identity);
    connection.admitted = true;
    return certificate.identity;
  }

  /** Returns the owner of a connection's certificate without a look at validity and trust. */
  ownerOf(socket: TLSSocket): Identity | undefined {
    return this.#byObject.get(socket)?.certificate.identity;
  }

  /**
   * Returns a text for the certificate of a connection, by its socket or the certificate object that the socket gives
   * out. Certificates that name nobody have one text together.
   */
  keyOf(of: object): string {
    const connection = this.#byObject.get(of);
    return connection === undefined ? NOBODY : keyOf(connection.certificate);
  }

  /** Returns true when the connection should end after its current request. */
  isOld(socket: TLSSocket): boolean {
    const { since = Number.NEGATIVE_INFINITY, cutAt } = this.#byObject.get(socket) ?? {};
    return cutAt !== undefined || performance.now() - since > this.maxAgeMs * DRAIN_FROM;
  }

  /**
   * Ends the connections that were made until now, within `graceMs`, since this device has new credentials. Those whose
   * authority is not among `authorities` (by `fingerprint256`) any more end at once.
   */
  renew(authorities: ReadonlySet<string>, graceMs: number): void {
    const cutAt = performance.now() + graceMs;
    for (const connection of this.#open) {
      connection.cutAt = Math.min(connection.cutAt ?? cutAt, cutAt);
      if (!authorities.has(connection.certificate.authority))
        this.#cut(connection, "The authority of its certificate is not trusted any more.");
    }
  }

  #cutEnded(): void {
    for (const connection of this.#open) {
      const ended = endOf(connection.certificate, Date.now());
      if (ended !== undefined) this.#cut(connection, ended);
      else if (performance.now() > (connection.cutAt ?? Number.POSITIVE_INFINITY))
        this.#cut(connection, "This device has a new certificate, and the time for old connections is over.");
    }
  }

  async #checkAgain(): Promise<void> {
    await Promise.all(
      [...this.#open].map(async (connection) => {
        const { identity } = connection.certificate;
        if (identity === undefined) return;
        const shown = shownBy(connection, identity);
        const refusal = connection.admitted
          ? await Promise.resolve(this.#trust.check(shown)).catch((error: Error) => error)
          : this.#trust.revokedError?.(shown);
        if (refusal !== undefined) this.#cut(connection, refusal.message);
        // A stream that goes on, such as Watch, was checked against the old limits.
        else if (connection.admitted && connection.limits !== this.#trust.limitsOf?.(identity))
          this.#cut(connection, "An operator has changed what its owner may do.");
      }),
    );
  }

  #cut({ socket, certificate }: Connection, err: string): void {
    const peer = certificate.identity ? ownerText(certificate.identity) : "unknown";
    this.#log.warn({ peer, from: socket.remoteAddress, err }, "ended a connection");
    socket.destroy();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#sweep);
    this.#change[Symbol.dispose]();
  }
}
