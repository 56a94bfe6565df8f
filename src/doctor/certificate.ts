// Checks the certificate of the device: its files, name, signer, dates and purposes.
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { required } from "../settings/read-config.ts";
import { keyWarning, readTls } from "../tls/device-files.ts";
import { daysOfWarning } from "../tls/endings.ts";
import type { Look, Verdict } from "./finding.ts";

const DAY_MS = 86_400_000;
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

export const lookAtCertificate: Look = async (config) => {
  const device = required(config, "device");
  // `readTls` checks the files, that they belong together, and the name of the device.
  const { trustDomain, authorities: trusted, authority } = await readTls(config, device);
  const [[own, ...intermediates], authorities] = await Promise.all([
    readCertificates(required(config, "tls-cert")),
    readCertificates(required(config, "tls-ca")),
  ]);
  if (own === undefined) return { missing: "The file of --tls-cert holds no certificate; give the right one." };
  const flaw = judgeCertificate(own, [...intermediates, ...authorities], Date.now());
  if (flaw !== undefined) return flaw;
  const open = await keyWarning(config);
  if (open !== undefined) return { warning: open };
  const ending = judgeAuthority(authority ?? trusted[0], Date.now());
  return ending ?? `device ${device} of ${trustDomain}, until ${new Date(own.validTo).toISOString().slice(0, 10)}`;
};

/** Returns the fault of the authority that signed the certificate, or undefined. `now` is in milliseconds. */
function judgeAuthority(authority: X509Certificate | undefined, now: number): Verdict | undefined {
  const end = Date.parse(authority?.validTo ?? "");
  const day = authority && new Date(end).toISOString().slice(0, 10);
  if (end < now)
    return { missing: `The authority of --tls-ca expired on ${day}; renew it, and give the new one to every device.` };
  const days = Math.floor((end - now) / DAY_MS);
  return authority && endsSoon(authority, now)
    ? { warning: `The authority of --tls-ca expires in ${days} days; renew it, and give the new one to every device.` }
    : undefined;
}

/**
 * Returns the fault of a certificate that one of `signers` must have signed, or undefined. `now` is in milliseconds.
 */
export function judgeCertificate(
  certificate: X509Certificate,
  signers: readonly X509Certificate[],
  now: number,
): Verdict | undefined {
  const { validFrom, validTo, keyUsage } = certificate;
  const day = (text: string) => new Date(text).toISOString().slice(0, 10);
  if (!signers.some((signer) => certificate.checkIssued(signer) && certificate.verify(signer.publicKey)))
    return { missing: "No authority of --tls-ca has signed the certificate; give the authority that issued it." };
  if (now > Date.parse(validTo)) return { missing: `The certificate expired on ${day(validTo)}; issue a new one.` };
  if (now < Date.parse(validFrom))
    return {
      missing: `The certificate is valid from ${day(validFrom)} on; set this machine's clock, or issue a new one.`,
    };
  // A device is a server for its peers and a client of them. A certificate without the extension serves all purposes.
  if (keyUsage !== undefined && !(keyUsage.includes(SERVER_AUTH) && keyUsage.includes(CLIENT_AUTH)))
    return {
      missing: "The certificate is not for servers and clients both; issue one with serverAuth and clientAuth.",
    };
  const days = Math.floor((Date.parse(validTo) - now) / DAY_MS);
  return endsSoon(certificate, now)
    ? { warning: `The certificate expires in ${days} days; issue a new one before.` }
    : undefined;
}

/** As the warnings of the sidecar. */
function endsSoon({ validFrom, validTo }: X509Certificate, now: number): boolean {
  return daysOfWarning({ beginsAt: Date.parse(validFrom), endsAt: Date.parse(validTo) }, now) !== undefined;
}

async function readCertificates(file: string): Promise<X509Certificate[]> {
  const blocks =
    (await readFile(file, "utf8")).match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}
