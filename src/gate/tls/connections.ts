// The connections over https to the gate. Its files may change while it runs, and certificates may end or be revoked.
import { constants, type X509Certificate } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { Server, TLSSocket, TlsOptions } from "node:tls";
import { STRONG_CIPHERS } from "../../tls/mutual-tls.ts";
import { instant, peerCertificate, peerChain } from "../../tls/peer-certificate.ts";

/** A handshake that takes longer is cut off. */
export const HANDSHAKE_MS = 10_000;
/** Between two looks at all connections. One is cut this much after the end of its certificate at the latest. */
const SWEEP_MS = 1_000;
/** A connection takes no new requests in the last fifth of its time, so that it may also be idle for a while. */
const DRAIN_FROM = 0.8;

/** Settings of a TLS server that asks for certificates of these authorities, and lets requests come without one. */
export function askForCertificates(ca: string, crl?: string[]): TlsOptions {
  // A resumed session would not check the certificate again.
  const secureOptions = constants.SSL_OP_NO_TICKET;
  const asking = { ca, requestCert: true, rejectUnauthorized: false, secureOptions, ciphers: STRONG_CIPHERS };
  return crl === undefined ? asking : { ...asking, crl };
}

/** The certificate of a gate, and the authorities of its users. */
export interface GateTls {
  readonly options: TlsOptions;
  /** By `X509Certificate.fingerprint256`. */
  readonly authorities: ReadonlySet<string>;
  /** Returns true if one of these certificates was revoked. */
  isRevoked(chain: readonly X509Certificate[]): boolean;
}

/** TLS of a gate whose files may change. */
export interface TlsSource {
  readonly current: GateTls;
  /** Calls `listener` with what new files hold. */
  onChange(listener: (tls: GateTls) => void): void;
}

/** How long connections live. */
export interface ConnectionTimes {
  /** How long requests may go on over connections that are older than new files, in milliseconds. */
  readonly reloadMs: number;
  /** How long a connection takes new requests, in milliseconds. A request that runs then may go on. */
  readonly connectionMs: number;
}

interface Open {
  /** When it takes no new requests any more, as `performance.now()`. */
  closesAt: number;
  /** When its certificate ends, in milliseconds since 1970. */
  readonly endsAt: number;
}

/**
 * Uses new files of a gate for new connections at once. Old connections end after their request, and within `reloadMs`.
 * Cuts connections whose certificate has ended. When new files come, it also cuts those with a certificate that was
 * revoked, or whose authority the new files lack.
 */
export function watchConnections(
  source: TlsSource,
  server: HttpsServer,
  { reloadMs, connectionMs }: ConnectionTimes,
  log: { readonly warn: (fields: Record<string, unknown>, message: string) => void },
): void {
  const open = new Map<TLSSocket, Open>();
  const cut = (socket: TLSSocket, err: string) => {
    log.warn({ from: socket.remoteAddress, user: socket.getPeerCertificate()?.subject?.CN, err }, "ended a connection");
    socket.destroy();
  };
  const cutRefused = (socket: TLSSocket, { authorities, isRevoked }: GateTls) => {
    if (!socket.authorized) return;
    const chain = peerChain(socket);
    if (!authorities.has(chain.at(-1)?.fingerprint256 ?? ""))
      cut(socket, "The authority of its certificate is not among those of --gate-client-ca any more.");
    else if (isRevoked(chain)) cut(socket, "Its certificate was revoked.");
  };
  let changedAt = Number.NEGATIVE_INFINITY;
  server.on("secureConnection", (socket: TLSSocket) => {
    // This handshake may have begun with the old files.
    if (performance.now() - changedAt < HANDSHAKE_MS) cutRefused(socket, source.current);
    const { endsAt = Number.POSITIVE_INFINITY } = peerCertificate(socket, "") ?? {};
    open.set(socket, { closesAt: performance.now() + connectionMs * DRAIN_FROM, endsAt });
    socket.once("close", () => open.delete(socket));
  });
  server.prependListener("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
    const { closesAt = 0 } = open.get(socket as TLSSocket) ?? {};
    if (performance.now() >= closesAt) response.setHeader("connection", "close");
  });
  source.onChange((tls) => {
    changedAt = performance.now();
    (server as Server).setSecureContext(tls.options);
    const before = [...open.keys()];
    for (const [socket, times] of open) {
      times.closesAt = 0;
      cutRefused(socket, tls);
    }
    server.closeIdleConnections();
    setTimeout(() => {
      for (const socket of before) socket.destroy();
    }, reloadMs).unref();
  });
  const sweep = setInterval(() => {
    for (const [socket, { endsAt }] of open)
      if (endsAt <= Date.now()) cut(socket, `Its certificate ended at ${instant(endsAt)}.`);
  }, SWEEP_MS).unref();
  server.once("close", () => clearInterval(sweep));
}
