// TLS of the gate. Users prove themselves by a certificate of an authority that the operator of the gate names. Its
// files may change while the gate runs.
import { constants } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { Server, TLSSocket, TlsOptions } from "node:tls";
import { Refusal } from "../smart-http/refusal.ts";
import { STRONG_CIPHERS } from "../tls/mutual-tls.ts";
import { instant, peerCertificate } from "../tls/peer-certificate.ts";
import { type Entry, RefusedCredentials, type UserSource } from "./users.ts";

/** The user is the common name (CN) of the certificate. A request without one does not say who its user is. */
export const CLIENT_CERTIFICATES: UserSource = {
  takesPasswords: false,
  async userOf({ request }: Entry): Promise<string | undefined> {
    const socket = request.socket as TLSSocket;
    const certificate = socket.getPeerCertificate();
    if (certificate.subject === undefined) return undefined;
    const name: string | string[] | undefined = certificate.subject.CN;
    const refusedError = (why: string) => refusal([name].flat().join(", "), why);
    if (!socket.authorized) throw refusedError(`this server does not accept it (${socket.authorizationError})`);
    // The connection may be older than the end of its certificate, or of an authority above it.
    const { endsAt = 0 } = peerCertificate(socket, "") ?? {};
    if (endsAt <= Date.now()) throw refusedError(`it ended at ${instant(endsAt)}`);
    if (typeof name === "string" && name !== "") return name;
    throw refusedError("it has not exactly one common name (CN), which would be the name of its user");
  },
};

/** Settings of a TLS server that asks for certificates of these authorities, and lets requests come without one. */
export function askForCertificates(ca: string): TlsOptions {
  // A resumed session would not check the certificate again.
  const secureOptions = constants.SSL_OP_NO_TICKET;
  return { ca, requestCert: true, rejectUnauthorized: false, secureOptions, ciphers: STRONG_CIPHERS };
}

/** The certificate of a gate, and the authorities of its users. */
export interface GateTls {
  readonly options: TlsOptions;
  /** By `X509Certificate.fingerprint256`. */
  readonly authorities: ReadonlySet<string>;
}

/** TLS of a gate whose files may change. */
export interface TlsSource {
  readonly current: GateTls;
  /** Calls `listener` with what new files hold. */
  onChange(listener: (tls: GateTls) => void): void;
}

/**
 * Uses new files for new connections at once. Old connections end after their request, and within `graceMs`. Those of
 * an authority that the new files lack are cut.
 */
export function renewFrom(source: TlsSource, server: HttpsServer, graceMs: number): void {
  const open = new Set<TLSSocket>();
  const old = new WeakSet<object>();
  server.on("secureConnection", (socket: TLSSocket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  server.prependListener("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
    if (old.has(socket)) response.setHeader("connection", "close");
  });
  source.onChange(({ options, authorities }) => {
    (server as Server).setSecureContext(options);
    const before = [...open];
    for (const socket of before) {
      old.add(socket);
      const authority = peerCertificate(socket, "")?.authority;
      if (socket.authorized && authority !== undefined && !authorities.has(authority)) socket.destroy();
    }
    server.closeIdleConnections();
    setTimeout(() => {
      for (const socket of before) socket.destroy();
    }, graceMs).unref();
  });
}

function refusal(user: string, why: string): Refusal {
  const shown = { user, way: "--gate-client-ca", forbidden: false };
  return new RefusedCredentials(new Refusal(403, `Your client certificate does not let you in: ${why}.`), shown);
}
