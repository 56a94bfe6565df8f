// What the certificate of a connection says: who its owner is, its key, and when it ends.
import { createHash, type KeyObject, X509Certificate } from "node:crypto";
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import { certificateIdentity, type Identity } from "./identity.ts";

/** The certificate that the other side of a connection has shown. Times are in milliseconds since 1970. */
export interface PeerCertificate {
  /** undefined: the certificate names nobody of the trust domain. */
  readonly identity: Identity | undefined;
  /** Its public key, as the registry pins it. */
  readonly key: ReturnType<typeof certificateKey>;
  /** The time from which the certificate and all its signers are valid. */
  readonly beginsAt: number;
  /** The time until which they are. */
  readonly endsAt: number;
  /** SHA-256 of the authority at the end of the chain, as in `X509Certificate.fingerprint256`. */
  readonly authority: string;
}

/** Reads the certificate of the other side. undefined: it has shown none. */
export function peerCertificate(socket: TLSSocket, trustDomain: string): PeerCertificate | undefined {
  const chain = peerChain(socket);
  const [own] = chain;
  if (own === undefined) return undefined;
  return {
    // SPIFFE too lets no certificate that may sign others prove who somebody is.
    identity: own.ca ? undefined : certificateIdentity(own.subjectAltName, trustDomain),
    key: certificateKey(own.toString()),
    beginsAt: Math.max(...chain.map(({ validFrom }) => Date.parse(validFrom))),
    endsAt: Math.min(...chain.map(({ validTo }) => Date.parse(validTo))),
    authority: (chain.at(-1) as X509Certificate).fingerprint256,
  };
}

/**
 * Returns the certificate of the other side and its signers, up to the authority. It is empty if the other side has
 * shown none.
 */
export function peerChain(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  // Node links the last one to itself.
  const seen = new Set<object>();
  let next: Partial<DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true);
  for (; next?.raw !== undefined && !seen.has(next); next = next.issuerCertificate) {
    seen.add(next);
    chain.push(new X509Certificate(next.raw));
  }
  return chain;
}

/** Returns a time as people read it: 2026-11-29T17:24:14Z. */
export function instant(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}

/** Returns `sha256:` and the SHA-256 of the SubjectPublicKeyInfo in hex. */
function keyFingerprint(key: KeyObject): string {
  const der = key.export({ type: "spki", format: "der" });
  return `sha256:${createHash("sha256").update(der).digest("hex")}`;
}

/**
 * Returns the public key of a certificate in PEM, as the registry has it. The registry pins keys, not certificates: a
 * renewed certificate with the same key stays trusted. Throws if the text is no certificate.
 */
export function certificateKey(certificate: string): { kind: "x509"; fingerprint: string; publicKey: string } {
  const { publicKey } = new X509Certificate(certificate);
  const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
  return { kind: "x509", fingerprint: keyFingerprint(publicKey), publicKey: pem };
}
