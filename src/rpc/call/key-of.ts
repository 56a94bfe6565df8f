// Reads names, fingerprints and certificates in requests about the registry.
import { X509Certificate } from "node:crypto";
import { LockstepError } from "../../errors.ts";
import { deviceName } from "../../names.ts";
import { keyLine, parsePublicKey } from "../../ssh/public-key.ts";
import type { Name, PublicKey } from "../../store/registry/registry.ts";
import { certificateIdentity } from "../../tls/identity.ts";
import { certificateKey } from "../../tls/peer-certificate.ts";

const X509_FINGERPRINT = /^sha256:[0-9a-f]{64}$/;
const SSH_FINGERPRINT = /^SHA256:[A-Za-z0-9+/]{43}$/;

/** Returns the role and name of a request. Throws INVALID_REQUEST, INVALID_NAME. */
export function nameOf({ role, name }: { role: string; name: string }): Name {
  return { role: roleOf(role), name: deviceName(name) };
}

/** Throws INVALID_REQUEST for a role that there is not. */
export function roleOf(role: string): Name["role"] {
  if (role === "device" || role === "frontend" || role === "operator") return role;
  throw new LockstepError(
    "INVALID_REQUEST",
    `${JSON.stringify(role.slice(0, 40))} is no role; use device, frontend or operator.`,
  );
}

/** Returns a fingerprint that a person has given: hex with or without colons, or as ssh-keygen prints it. */
export function fingerprintOf(text: string): PublicKey {
  const trimmed = text.trim();
  if (SSH_FINGERPRINT.test(trimmed)) return { kind: "ssh", fingerprint: trimmed, publicKey: null };
  const hex = trimmed
    .toLowerCase()
    .replaceAll(":", "")
    .replace(/^sha256/, "");
  const fingerprint = `sha256:${hex}`;
  if (X509_FINGERPRINT.test(fingerprint)) return { kind: "x509", fingerprint, publicKey: null };
  throw new LockstepError(
    "INVALID_REQUEST",
    `${JSON.stringify(trimmed.slice(0, 80))} is not the fingerprint of a key; give sha256: and 64 hex digits, as \`lockstep device show\` prints it.`,
  );
}

/** Returns the key in a certificate in PEM. Throws INVALID_REQUEST if it is no certificate of that name. */
export function keyOfCertificate(pem: string, { role, name }: Name): PublicKey {
  let names: string | undefined;
  try {
    names = new X509Certificate(pem).subjectAltName;
  } catch (cause) {
    throw new LockstepError("INVALID_REQUEST", "This is no certificate in PEM; give the certificate, not its key.", {
      cause,
    });
  }
  const trustDomain = /URI:spiffe:\/\/([^/,]+)\//.exec(names ?? "")?.[1] ?? "";
  const identity = certificateIdentity(names, trustDomain);
  if (identity?.role !== role || identity.name !== name)
    throw new LockstepError(
      "INVALID_REQUEST",
      `The certificate is not that of ${role} ${name}; it needs the one URI spiffe://TRUST-DOMAIN/${role}/${name}.`,
    );
  return certificateKey(pem);
}

/** Returns the key in a line of ssh. Throws INVALID_REQUEST if it is none, or not that of a device. */
export function keyOfSsh(line: string, kind: "ssh" | "ssh-host", { role, name }: Name): PublicKey {
  if (role !== "device")
    throw new LockstepError("INVALID_REQUEST", `Only devices use ssh here, and ${name} is a ${role}.`);
  const key = parsePublicKey(line);
  if (key === undefined)
    throw new LockstepError(
      "INVALID_REQUEST",
      "This is no public key of ssh; give the file whose name ends in .pub, with one line of type and key.",
    );
  if (kind === "ssh" && key.type !== "ssh-ed25519")
    throw new LockstepError("INVALID_REQUEST", `The ssh key of a device must be ssh-ed25519, and this is ${key.type}.`);
  return { kind, fingerprint: key.fingerprint, publicKey: keyLine(key) };
}
