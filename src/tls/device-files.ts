// Reads and checks the certificate, key and authorities of a device before a server uses them.
import { X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { LockstepError } from "../errors.ts";
import type { Config } from "../settings/config.ts";
import { required } from "../settings/read-config.ts";
import { certificateIdentity } from "./identity.ts";
import { STRONG_CIPHERS } from "./mutual-tls.ts";
import { instant } from "./peer-certificate.ts";

/** What the three files hold. Times are in milliseconds since 1970. */
export interface DeviceCredentials {
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string };
  readonly trustDomain: string;
  readonly device: string;
  /** The certificate of the device. */
  readonly own: X509Certificate;
  /** All certificates of --tls-ca. */
  readonly authorities: readonly X509Certificate[];
  /** From when and until when the certificate, and the intermediate ones with it, are valid. */
  readonly beginsAt: number;
  readonly endsAt: number;
  /** The authority that the certificate leads to; undefined: none of --tls-ca. */
  readonly authority: X509Certificate | undefined;
}

type TlsFile = "tls-cert" | "tls-key" | "tls-ca";
export const TLS_FILES: readonly TlsFile[] = ["tls-cert", "tls-key", "tls-ca"];

/**
 * Reads the files of --tls-cert, --tls-key and --tls-ca. The trust domain is that of the certificate. Throws USAGE when
 * a file is unreadable or no PEM, and when certificate and key do not match. Also when the certificate is not for
 * `device`, when other devices would refuse it, and when everybody may write the key.
 */
export async function readTls(config: Config, device: string): Promise<DeviceCredentials> {
  const [cert, key, ca] = await Promise.all([
    readPem(config, "tls-cert"),
    readPem(config, "tls-key"),
    readPem(config, "tls-ca"),
  ]);
  const [own, ...intermediates] = certificatesIn(config, "tls-cert", cert);
  const authorities = certificatesIn(config, "tls-ca", ca);
  parsed(config, "tls-key", () => createSecureContext({ cert, key, ca }));
  const trustDomain = /URI:spiffe:\/\/([^/,]+)\//.exec(own.subjectAltName ?? "")?.[1] ?? "";
  const identity = certificateIdentity(own.subjectAltName, trustDomain);
  if (identity?.role !== "device" || identity.name !== device) {
    throw new LockstepError(
      "USAGE",
      `The certificate ${config["tls-cert"]} is not that of device ${device}; it needs the one URI spiffe://TRUST-DOMAIN/device/${device}.`,
    );
  }
  const refused = refusedBy({ cert, key, ca }, own);
  if (refused !== undefined)
    throw new LockstepError("USAGE", `Other devices refuse the certificate ${config["tls-cert"]}: ${refused}.`);
  if (((await modeOfKey(config)) & 0o002) !== 0)
    throw new LockstepError(
      "USAGE",
      `Every user of this machine may write the private key ${config["tls-key"]}; make a new one, with the mode 600.`,
    );
  const chain = chainOf(own, intermediates, authorities);
  const ownChain = [own, ...chain.signers];
  return {
    tls: { cert, key, ca },
    trustDomain,
    device,
    own,
    authorities,
    beginsAt: Math.max(...ownChain.map(({ validFrom }) => Date.parse(validFrom))),
    endsAt: Math.min(...ownChain.map(({ validTo }) => Date.parse(validTo))),
    authority: chain.authority,
  };
}

/** Returns why other devices refuse a certificate whatever the time and the authority, or undefined. */
function refusedBy(tls: DeviceCredentials["tls"], own: X509Certificate): string | undefined {
  if (own.ca) return "it may sign others (CA:TRUE); use one that it has signed";
  try {
    createSecureContext({ ...tls, ciphers: STRONG_CIPHERS });
    return undefined;
  } catch (error) {
    return `its key or a signature is too weak (${(error as Error).message}); use P-256, Ed25519, or RSA with 2,048 bits`;
  }
}

/** Returns why other devices refuse these credentials at that time, as a sentence, or undefined. */
export function expiryOf({ device, beginsAt, endsAt }: DeviceCredentials, now: number): string | undefined {
  const whose = `The certificate of device ${device}`;
  if (now > endsAt)
    return `${whose} ended at ${instant(endsAt)}; put a new one in the place of --tls-cert, it is read without a restart.`;
  if (now < beginsAt) return `${whose} is valid from ${instant(beginsAt)} on; set the clock of this machine.`;
  return undefined;
}

/** Returns why credentials may not take the place of others, or undefined. */
export function faultOf(credentials: DeviceCredentials, now: number): string | undefined {
  if (credentials.authority === undefined)
    return "No authority of --tls-ca has signed the certificate; give the authority that issued it.";
  return expiryOf(credentials, now);
}

/** Returns a warning when every user of this machine may read the key. */
export async function keyWarning(config: Config): Promise<string | undefined> {
  if (((await modeOfKey(config)) & 0o004) === 0) return undefined;
  return `Every user of this machine may read the private key ${config["tls-key"]} and act as this device; take the right away with \`chmod o= FILE\`.`;
}

async function modeOfKey(config: Config): Promise<number> {
  const { mode } = await stat(required(config, "tls-key"));
  return mode;
}

/** Follows the signers of a certificate up to an authority. */
function chainOf(
  own: X509Certificate,
  intermediates: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
): { signers: X509Certificate[]; authority: X509Certificate | undefined } {
  const signers: X509Certificate[] = [];
  for (let last = own; ; ) {
    const signed = (signer: X509Certificate) => last.checkIssued(signer) && last.verify(signer.publicKey);
    const authority = authorities.find(signed);
    if (authority !== undefined) return { signers, authority };
    const next = intermediates.find((each) => !signers.includes(each) && signed(each));
    if (next === undefined) return { signers, authority: undefined };
    signers.push(next);
    last = next;
  }
}

async function readPem(config: Config, name: TlsFile): Promise<string> {
  return await readFile(required(config, name), "utf8").catch((cause: Error) => {
    throw new LockstepError("USAGE", `The file of --${name} cannot be read (${cause.message}); correct its path.`, {
      cause,
    });
  });
}

function certificatesIn(config: Config, name: TlsFile, pem: string): [X509Certificate, ...X509Certificate[]] {
  return parsed(config, name, () => {
    const blocks = pem.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----.*?-----END (?:TRUSTED )?CERTIFICATE-----/gs);
    // Without a block this throws the error of a text that is no certificate.
    const [first, ...rest] = (blocks ?? [pem]).map((block) => new X509Certificate(block));
    return [first as X509Certificate, ...rest];
  });
}

function parsed<T>(config: Config, name: TlsFile, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    const what = name === "tls-key" ? "is no private key for the certificate" : "holds no certificate in PEM";
    throw new LockstepError("USAGE", `The file ${config[name]} of --${name} ${what}; give the right one.`, { cause });
  }
}
