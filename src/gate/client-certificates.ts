// Users who prove themselves by a certificate of an authority that the operator of the gate names.
import { constants } from "node:crypto";
import type { TLSSocket, TlsOptions } from "node:tls";
import { Refusal } from "../smart-http/refusal.ts";
import type { Entry, UserSource } from "./users.ts";

/** The user is the common name (CN) of the certificate. A request without one does not say who its user is. */
export const CLIENT_CERTIFICATES: UserSource = {
  takesPasswords: false,
  async userOf({ request }: Entry): Promise<string | undefined> {
    const socket = request.socket as TLSSocket;
    const certificate = socket.getPeerCertificate();
    if (certificate.subject === undefined) return undefined;
    if (!socket.authorized) throw refusedError(`this server does not accept it (${socket.authorizationError})`);
    // The connection may be older than the end of its certificate.
    if (Date.parse(certificate.valid_to) <= Date.now()) throw refusedError(`it ended at ${certificate.valid_to}`);
    const name: string | string[] | undefined = certificate.subject.CN;
    if (typeof name === "string" && name !== "") return name;
    throw refusedError("it has not exactly one common name (CN), which would be the name of its user");
  },
};

/** Settings of a TLS server that asks for certificates of these authorities, and lets requests come without one. */
export function askForCertificates(ca: string): TlsOptions {
  // A resumed session would not check the certificate again.
  return { ca, requestCert: true, rejectUnauthorized: false, secureOptions: constants.SSL_OP_NO_TICKET };
}

function refusedError(why: string): Refusal {
  return new Refusal(403, `Your client certificate does not let you in: ${why}.`);
}
