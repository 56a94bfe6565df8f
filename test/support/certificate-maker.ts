// Makes certificates of any shape, also those that no honest authority makes.
import "reflect-metadata";
import { KeyObject, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const P256 = { name: "ECDSA", namedCurve: "P-256" };
const DAY_MS = 86_400_000;

export const ED25519 = { name: "Ed25519" };
export const RSA_1024 = {
  name: "RSASSA-PKCS1-v1_5",
  modulusLength: 1_024,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: "SHA-256",
};

export type Keys = webcrypto.CryptoKeyPair;

/** Makes a key, by default P-256. */
export async function makeKeys(algorithm: object = P256): Promise<Keys> {
  return (await webcrypto.subtle.generateKey(algorithm as typeof P256, true, ["sign", "verify"])) as Keys;
}

/** A certificate with its key. */
export interface Made {
  readonly keys: Keys;
  readonly certificate: x509.X509Certificate;
}

/** What a client shows: its certificate with others behind it, and its key, both in PEM. */
export interface Shown {
  readonly cert: string;
  readonly key: string;
}

/** Returns what a client shows that has this certificate and sends `others` with it. */
export function shown({ keys, certificate }: Made, ...others: readonly Made[]): Shown {
  const chain = [certificate, ...others.map((each) => each.certificate)];
  return {
    cert: chain.map((each) => `${each.toString("pem")}\n`).join(""),
    key: KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

/** The DER of one element with a length below 65,536. */
function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const head = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

const GENERAL_NAMES = { email: 0x81, dns: 0x82, uri: 0x86 };
type GeneralName = readonly [keyof typeof GENERAL_NAMES, string];

export const uri = (value: string): GeneralName => ["uri", value];
export const dns = (value: string): GeneralName => ["dns", value];
export const email = (value: string): GeneralName => ["email", value];

/** Takes any bytes for a name, as an authority does that copies a request. */
function alternativeNames(names: readonly GeneralName[]): x509.Extension {
  const all = names.map(([kind, value]) => der(GENERAL_NAMES[kind], Buffer.from(value, "utf8")));
  return new x509.Extension("2.5.29.17", false, der(0x30, Buffer.concat(all)));
}

export const { digitalSignature, keyCertSign } = x509.KeyUsageFlags;
const { clientAuth, serverAuth } = x509.ExtendedKeyUsage;
export const CLIENT = [clientAuth];
export const SERVER = [serverAuth];
export const BOTH = [serverAuth, clientAuth];

export interface Wanted {
  /** The common name. Several: the subject has several. */
  readonly cn?: string | readonly string[];
  readonly names?: readonly GeneralName[];
  /** Milliseconds from now. Default: from five minutes ago, for a day. */
  readonly begins?: number;
  readonly ends?: number;
  /** Default: for clients. Empty: the certificate does not say. */
  readonly uses?: readonly string[];
  /** The certificate may sign others. */
  readonly ca?: boolean;
  readonly usage?: number;
  readonly keys?: Keys;
  /** The hash of the signature. */
  readonly hash?: "SHA-1" | "SHA-256";
  /** Default: it signs itself. */
  readonly by?: Made;
  readonly extensions?: readonly x509.Extension[];
}

/** An extension that nobody knows and that may not be passed over. */
export const UNKNOWN_CRITICAL = new x509.Extension("1.3.6.1.4.1.99999.1", true, Buffer.from([0x05, 0x00]));

/** Makes a certificate. */
export async function certify(wanted: Wanted): Promise<Made> {
  const { cn = [], names = [], begins = -300_000, ends = DAY_MS, uses = CLIENT, ca = false, hash = "SHA-256" } = wanted;
  const keys = wanted.keys ?? (await makeKeys());
  const by = wanted.by ?? { keys, certificate: undefined };
  const subject = [cn].flat().map((each) => ({ CN: [each] }));
  const { name } = by.keys.privateKey.algorithm;
  const certificate = await x509.X509CertificateGenerator.create({
    subject,
    issuer: by.certificate?.subjectName ?? subject,
    notBefore: new Date(Date.now() + begins),
    notAfter: new Date(Date.now() + ends),
    publicKey: keys.publicKey,
    signingKey: by.keys.privateKey,
    signingAlgorithm: { name, hash },
    extensions: [
      new x509.BasicConstraintsExtension(ca, undefined, true),
      new x509.KeyUsagesExtension(wanted.usage ?? (ca ? keyCertSign : digitalSignature), true),
      ...(uses.length > 0 && !ca ? [new x509.ExtendedKeyUsageExtension([...uses])] : []),
      ...(names.length > 0 ? [alternativeNames(names)] : []),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ...(by.certificate ? [await x509.AuthorityKeyIdentifierExtension.create(by.keys.publicKey)] : []),
      ...(wanted.extensions ?? []),
    ],
  });
  return { keys, certificate };
}
