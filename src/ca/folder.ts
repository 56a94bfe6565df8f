// The folder of an authority, ca.pem and ca.key, and the certificates that it has issued.
import { X509Certificate } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { LockstepError } from "../errors.ts";
import { exists } from "../io/disk.ts";
import { type Identity, parseIdentity } from "../tls/identity.ts";
import { certificateKey } from "../tls/peer-certificate.ts";
import { type CredentialPair, createAuthority, issue, trustDomainOf } from "./authority.ts";
import { writeCredentials } from "./credentials.ts";
import type { KeyType } from "./keys.ts";

const DAY_MS = 86_400_000;

/** A certificate as `lockstep ca` prints it. */
export interface CertificateDocument {
  readonly cert: string;
  readonly key: string;
  readonly role: string;
  readonly name: string;
  readonly trust_domain: string;
  readonly hosts: readonly string[];
  readonly not_before: string;
  readonly not_after: string;
  readonly serial: string;
  readonly key_fingerprint: string;
}

/** Reads ca.pem and ca.key. Throws USAGE where `dir` has none. */
export async function readAuthority(dir: string): Promise<CredentialPair> {
  const read = async (name: string) =>
    await readFile(join(dir, name), "utf8").catch((cause: Error) => {
      throw new LockstepError(
        "USAGE",
        `The folder ${dir} has no ${name} that can be read (${cause.message}); make an authority with \`lockstep ca init ${dir}\`.`,
        { cause },
      );
    });
  const [certificatePem, keyPem] = await Promise.all([read("ca.pem"), read("ca.key")]);
  return { certificatePem, keyPem };
}

/** An authority as `lockstep ca` prints it. */
interface AuthorityDocument {
  readonly ca: string;
  readonly key: string;
  readonly trust_domain: string;
  readonly not_after: string;
}

/** Returns the document of the authority in `dir`. Throws USAGE where `dir` has none. */
export async function describeAuthority(dir: string): Promise<AuthorityDocument> {
  const authority = await readAuthority(dir);
  return {
    ca: join(dir, "ca.pem"),
    key: join(dir, "ca.key"),
    trust_domain: trustDomainOf(authority),
    not_after: new Date(new X509Certificate(authority.certificatePem).validTo).toISOString(),
  };
}

/** Returns the document of a certificate of this authority. undefined: the file holds none. */
export async function describeCertificate(path: string, pem: string): Promise<CertificateDocument | undefined> {
  const certificate = parsed(pem);
  const identity = certificate && identityOf(certificate);
  if (certificate === undefined || identity === undefined) return undefined;
  return {
    cert: path,
    key: keyFileOf(path),
    role: identity.role,
    name: identity.name,
    trust_domain: identity.trustDomain,
    hosts: hostsOf(certificate),
    not_before: new Date(certificate.validFrom).toISOString(),
    not_after: new Date(certificate.validTo).toISOString(),
    serial: certificate.serialNumber,
    key_fingerprint: certificateKey(pem).fingerprint,
  };
}

/** Returns what this authority has issued, of the files in `dir` and one folder below, by their paths. */
export async function listIssued(authority: CredentialPair, dir: string): Promise<CertificateDocument[]> {
  const signer = new X509Certificate(authority.certificatePem);
  const entries = await readdir(dir, { withFileTypes: true });
  const below = await Promise.all(
    entries
      .filter((entry) => entry.isDirectory())
      .map(async ({ name }) => (await readdir(join(dir, name)).catch(() => [])).map((file) => join(name, file))),
  );
  const names = [...entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name), ...below.flat()];
  const found: CertificateDocument[] = [];
  for (const name of names.filter((each) => each.endsWith(".pem")).sort()) {
    const path = join(dir, name);
    const pem = await readFile(path, "utf8").catch(() => "");
    const certificate = parsed(pem);
    if (certificate === undefined || !certificate.verify(signer.publicKey)) continue;
    const document = await describeCertificate(path, pem);
    if (document !== undefined) found.push(document);
  }
  return found;
}

/** Which certificates `renew` takes, and how. */
export interface Renewal {
  /** Certificates that end within this time, in milliseconds, are renewed. */
  readonly withinMs: number;
  /** The term of the new certificate in days; undefined: that of the old one. */
  readonly days: number | undefined;
  /** Make a new key of this type; undefined: keep the key, which needs no act where keys are pinned. */
  readonly newKey: KeyType | undefined;
}

/** Issues the certificates below `dir` anew that are about to end or have ended. Returns the new ones. */
export async function renewBelow(
  authority: CredentialPair,
  dir: string,
  renewal: Renewal,
): Promise<CertificateDocument[]> {
  const renewed: CertificateDocument[] = [];
  for (const old of await listIssued(authority, dir)) {
    if (Date.parse(old.not_after) - Date.now() > renewal.withinMs) continue;
    if (!(await exists(old.key))) continue;
    const termDays = (Date.parse(old.not_after) - Date.parse(old.not_before)) / DAY_MS;
    const pair = await issue(authority, {
      role: old.role as Identity["role"],
      name: old.name,
      hosts: old.hosts,
      days: renewal.days ?? termDays,
      ...(renewal.newKey === undefined ? { keyPem: await readFile(old.key, "utf8") } : { keyType: renewal.newKey }),
    });
    const end = old.cert.lastIndexOf("/");
    await writeCredentials(old.cert.slice(0, end), old.cert.slice(end + 1, -".pem".length), pair);
    const document = await describeCertificate(old.cert, pair.certificatePem);
    if (document !== undefined) renewed.push(document);
  }
  return renewed;
}

/** Makes a new certificate of the authority for its key, so that what it has issued stays valid. */
export async function renewAuthority(dir: string, trustDomain: string, days: number): Promise<CredentialPair> {
  const { keyPem } = await readAuthority(dir);
  const pair = await createAuthority({ trustDomain, days, keyPem });
  await writeCredentials(dir, "ca", pair);
  return pair;
}

function keyFileOf(path: string): string {
  return path.replace(/\.pem$/, ".key");
}

function parsed(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function identityOf({ subjectAltName }: X509Certificate): Identity | undefined {
  const uri = /URI:(spiffe:[^,]+)/.exec(subjectAltName ?? "")?.[1];
  return uri === undefined ? undefined : parseIdentity(uri);
}

function hostsOf({ subjectAltName }: X509Certificate): string[] {
  const names = (subjectAltName ?? "").split(", ");
  return names.flatMap((name) => /^(?:DNS|IP Address):(.+)$/.exec(name)?.[1] ?? []);
}
