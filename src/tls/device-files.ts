// Reads and checks the certificate, key and authorities of a device before a server uses them.
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import type { Config } from "../config.ts";
import { LockstepError } from "../errors.ts";
import { required } from "../read-config.ts";
import { certificateIdentity } from "./identity.ts";

/**
 * Reads the files of --tls-cert, --tls-key and --tls-ca. The trust domain is that of the certificate. Throws USAGE when
 * a file is unreadable or no PEM, when certificate and key do not match, and when the certificate is not for `device`.
 */
export async function readTls(
  config: Config,
  device: string,
): Promise<{ tls: SecureContextOptions; trustDomain: string }> {
  const [cert, key, ca] = await Promise.all([
    readPem(config, "tls-cert"),
    readPem(config, "tls-key"),
    readPem(config, "tls-ca"),
  ]);
  const names = parsed(config, "tls-cert", () => new X509Certificate(cert)).subjectAltName;
  parsed(config, "tls-ca", () => new X509Certificate(ca));
  parsed(config, "tls-key", () => createSecureContext({ cert, key, ca }));
  const trustDomain = /URI:spiffe:\/\/([^/,]+)\//.exec(names ?? "")?.[1] ?? "";
  const identity = certificateIdentity(names, trustDomain);
  if (identity?.role !== "device" || identity.name !== device) {
    throw new LockstepError(
      "USAGE",
      `The certificate ${config["tls-cert"]} is not that of device ${device}; it needs the one URI spiffe://TRUST-DOMAIN/device/${device}.`,
    );
  }
  return { tls: { cert, key, ca }, trustDomain };
}

type TlsFile = "tls-cert" | "tls-key" | "tls-ca";

async function readPem(config: Config, name: TlsFile): Promise<string> {
  return await readFile(required(config, name), "utf8").catch((cause: Error) => {
    throw new LockstepError("USAGE", `The file of --${name} cannot be read (${cause.message}); correct its path.`, {
      cause,
    });
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
