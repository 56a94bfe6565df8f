// The sentences about the certificate of another side, and the texts that name its owner.
import type { TLSSocket } from "node:tls";
import { LockstepError } from "../errors.ts";
import type { Identity } from "./identity.ts";
import { instant, type PeerCertificate } from "./peer-certificate.ts";

/** Stands for all certificates that name nobody. */
export const NOBODY = "nobody";

/** Returns a text that is the same for all connections of one key. */
export function keyOf({ identity, key }: PeerCertificate): string {
  return identity === undefined ? NOBODY : key.fingerprint;
}

/** Makes the error for a connection beyond the limit of its certificate. */
export function overError({ identity }: PeerCertificate, most: number): LockstepError {
  const whose = identity ? `The certificate of ${ownerText(identity)} has` : "Certificates that name nobody have";
  return new LockstepError(
    "QUEUE_FULL",
    `${whose} ${most} connections to this port already, which is the limit; send more calls over each.`,
  );
}

/** Makes the error for a certificate that names nobody. */
export function namelessError(trustDomain: string): LockstepError {
  return new LockstepError(
    "UNAUTHENTICATED",
    `The certificate names no device, frontend or operator of ${trustDomain}; it needs one URI such as spiffe://${trustDomain}/frontend/NAME.`,
  );
}

/** Makes the error for a connection that has been used for as long as one may be. */
export function tooOldError(maxAgeMs: number): LockstepError {
  return new LockstepError("UNAUTHENTICATED", `This connection is older than ${maxAgeMs / 1000} s; connect again.`);
}

/** Returns the role and the name. */
export function ownerText({ role, name }: Identity): string {
  return `${role} ${name}`;
}

/** Returns the sentence for a certificate that is not valid at that time. */
export function endOf({ identity, beginsAt, endsAt }: PeerCertificate, now: number): string | undefined {
  const whose = identity ? `The certificate of ${ownerText(identity)}` : "The certificate";
  if (now > endsAt) return `${whose} ended at ${instant(endsAt)}; issue a new one there.`;
  if (now < beginsAt) return `${whose} is valid from ${instant(beginsAt)} on; set the clocks of both machines.`;
  return undefined;
}

/** Returns why TLS refuses a certificate. */
export function faultOf(socket: TLSSocket, certificate: PeerCertificate | undefined): string {
  if (certificate === undefined) return "it has shown no certificate";
  const ended = endOf(certificate, Date.now());
  if (ended !== undefined) return ended;
  const { identity } = certificate;
  const whose = identity ? `a certificate that says ${ownerText(identity)}` : "a certificate that names nobody here";
  return `${whose} was refused (${socket.authorizationError ?? "unknown reason"})`;
}
