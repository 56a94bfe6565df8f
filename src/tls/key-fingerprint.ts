// The public key in a certificate. The registry pins keys, not certificates: a renewed certificate with the same key
// stays trusted.
import { createHash, type KeyObject, X509Certificate } from "node:crypto";

/** Returns `sha256:` and the SHA-256 of the SubjectPublicKeyInfo in hex. */
function keyFingerprint(key: KeyObject): string {
  const der = key.export({ type: "spki", format: "der" });
  return `sha256:${createHash("sha256").update(der).digest("hex")}`;
}

/** Returns the public key of a certificate in PEM, as the registry has it. Throws if the text is no certificate. */
export function certificateKey(certificate: string): { kind: "x509"; fingerprint: string; publicKey: string } {
  const { publicKey } = new X509Certificate(certificate);
  const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
  return { kind: "x509", fingerprint: keyFingerprint(publicKey), publicKey: pem };
}
