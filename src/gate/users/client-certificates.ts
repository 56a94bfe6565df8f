// Users who prove themselves by a certificate of an authority that the operator of the gate names.
import type { TLSSocket } from "node:tls";
import { Refusal } from "../../smart-http/refusal.ts";
import { instant, peerCertificate } from "../../tls/peer-certificate.ts";
import { type Entry, RefusedCredentials, type UserSource } from "./users.ts";

/** The user is the common name (CN) of the certificate. A request without one does not say who its user is. */
export const CLIENT_CERTIFICATES: UserSource = {
  takesPasswords: false,
  async userOf({ request }: Entry): Promise<string | undefined> {
    const socket = request.socket as TLSSocket;
    const certificate = socket.getPeerCertificate();
    if (certificate.subject === undefined) return undefined;
    const name: string | string[] | undefined = certificate.subject.CN;
    const refusedError = (why: string) => certificateRefusal([name].flat().join(", "), why);
    if (!socket.authorized) throw refusedError(faultText(String(socket.authorizationError)));
    // The connection may be older than the end of its certificate, or of an authority above it.
    const { endsAt = 0 } = peerCertificate(socket, "") ?? {};
    if (endsAt <= Date.now()) throw refusedError(`it ended at ${instant(endsAt)}`);
    if (typeof name === "string" && name !== "") return name;
    throw refusedError("it has not exactly one common name (CN), which would be the name of its user");
  },
};

function faultText(fault: string): string {
  if (fault === "CERT_REVOKED") return "it was revoked";
  if (fault === "CRL_HAS_EXPIRED") return "the list of revoked certificates of this server has ended";
  return `this server does not accept it (${fault})`;
}

function certificateRefusal(user: string, why: string): Refusal {
  const shown = { user, way: "--gate-client-ca", forbidden: false };
  return new RefusedCredentials(new Refusal(403, `Your client certificate does not let you in: ${why}.`), shown);
}
