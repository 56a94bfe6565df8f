// A small certificate authority, for clusters without one: one level, identities as in identity.ts.
// Functions load the X.509 library (0.3 s) only when they are called.
import { createPrivateKey, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { LockstepError } from "../errors.ts";
import { identityUri, parseIdentity, type Role } from "../tls/identity.ts";
import { instant } from "../tls/peer-certificate.ts";
import { exportKey, generateKeys, importKeys, type KeyType } from "./keys.ts";

const DAY_MS = 86_400_000;
/** Certificates are backdated this much, for clocks that are behind the signing machine's. */
const BACKDATED_MS = 5 * 60_000;
const DNS_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/i;

/** A certificate and its private key (PKCS #8), both as PEM. */
export interface CredentialPair {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** The key of a certificate to make: a new one, by default P-256, or the one in `keyPem`. */
interface KeyChoice {
  readonly keyType?: KeyType | undefined;
  readonly keyPem?: string | undefined;
}

/** The owner and the term of a certificate to issue. */
export interface Grant extends KeyChoice {
  readonly role: Role;
  readonly name: string;
  /** DNS names and IP addresses under which a device is reached. The other roles have none. */
  readonly hosts: readonly string[];
  /** Days for which the certificate is valid. It ends with the authority's at the latest. */
  readonly days: number;
}

/** Makes a certificate that may sign others. Throws USAGE for a trust domain that SPIFFE does not allow. */
export async function createAuthority(
  options: { trustDomain: string; days: number } & KeyChoice,
): Promise<CredentialPair> {
  const { trustDomain, days } = options;
  if (parseIdentity(identityUri({ trustDomain, role: "device", name: "any" })) === undefined) {
    throw new LockstepError(
      "USAGE",
      `The trust domain ${JSON.stringify(trustDomain.slice(0, 70))} is not valid; use up to 255 of a-z 0-9 "." "-" "_", such as ` +
        "cluster.example.",
    );
  }
  const x509 = await loadX509();
  const keys = await keysOf(options);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [`Lockstep CA ${trustDomain}`.slice(0, 64)] }],
    ...validity(days),
    keys,
    signingAlgorithm: keys.signing,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      new x509.SubjectAlternativeNameExtension([{ type: "url", value: `spiffe://${trustDomain}` }]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificatePem: `${certificate.toString("pem")}\n`, keyPem: exportKey(keys) };
}

/**
 * Makes a key and a certificate for it. A device's certificate is for server and client, another role's for a client.
 * Throws USAGE for hosts that a certificate cannot hold, and for an authority that is not from `createAuthority`.
 * Throws INVALID_NAME.
 */
export async function issue(authority: CredentialPair, grant: Grant): Promise<CredentialPair> {
  const { role, name, hosts, days } = grant;
  const trustDomain = trustDomainOf(authority);
  const uri = identityUri({ trustDomain, role, name });
  if (parseIdentity(uri) === undefined) {
    throw new LockstepError(
      "INVALID_NAME",
      `The name ${JSON.stringify(name.slice(0, 70))} is not a DNS label; use up to 63 of a-z 0-9 and "-", such as repo001.`,
    );
  }
  if (role !== "device" && hosts.length > 0) {
    throw new LockstepError("USAGE", `Only a device is reached under host names; leave them out for the role ${role}.`);
  }
  const x509 = await loadX509();
  const signer = new x509.X509Certificate(authority.certificatePem);
  if (signer.notAfter.getTime() < Date.now())
    throw new LockstepError(
      "USAGE",
      `The authority ended at ${instant(signer.notAfter.getTime())}; renew it with \`lockstep ca renew DIR --authority\`.`,
    );
  const [keys, signing] = await Promise.all([keysOf(grant), importKeys(authority.keyPem)]);
  const { clientAuth, serverAuth } = x509.ExtendedKeyUsage;
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [name] }],
    issuer: signer.subjectName,
    ...validity(days, signer.notAfter),
    publicKey: keys.publicKey,
    signingKey: signing.privateKey,
    signingAlgorithm: signing.signing,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(role === "device" ? [serverAuth, clientAuth] : [clientAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: "url", value: uri }, ...hosts.map(hostName)]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(signer.publicKey),
    ],
  });
  return { certificatePem: `${certificate.toString("pem")}\n`, keyPem: exportKey(keys) };
}

/** Loads the library. It registers its parts through decorators, which need the metadata first. */
export async function loadX509(): Promise<typeof import("@peculiar/x509")> {
  await import("reflect-metadata");
  return await import("@peculiar/x509");
}

/** Returns the trust domain of an authority. Throws USAGE where the files are not those of a Lockstep authority. */
export function trustDomainOf({ certificatePem, keyPem }: CredentialPair): string {
  const certificate = new X509Certificate(certificatePem);
  const trustDomain = /^URI:spiffe:\/\/([^/]+)$/.exec(certificate.subjectAltName ?? "")?.[1];
  if (trustDomain !== undefined && certificate.ca && certificate.checkPrivateKey(createPrivateKey(keyPem)))
    return trustDomain;
  throw new LockstepError(
    "USAGE",
    "The certificate is not one of a Lockstep authority with its key (CA:TRUE, URI spiffe://<trust domain>); give the files " +
      "that `lockstep ca init` wrote.",
  );
}

function hostName(host: string): { type: "ip" | "dns"; value: string } {
  if (isIP(host) !== 0 && !host.includes("%")) return { type: "ip", value: host };
  if (DNS_NAME.test(host)) return { type: "dns", value: host };
  throw new LockstepError(
    "USAGE",
    `The host ${JSON.stringify(host.slice(0, 70))} is neither a DNS name nor an IP address; give it without port and brackets.`,
  );
}

function validity(days: number, latest?: Date): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  const notAfter = Math.min(now + days * DAY_MS, latest?.getTime() ?? Number.POSITIVE_INFINITY);
  return { notBefore: new Date(now - BACKDATED_MS), notAfter: new Date(notAfter) };
}

async function keysOf({ keyType = "p256", keyPem }: KeyChoice) {
  return keyPem === undefined ? await generateKeys(keyType) : await importKeys(keyPem);
}
