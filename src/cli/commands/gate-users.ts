// The settings of the gate that say who may use it.

import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { Logger } from "pino";
import type { Config, SettingName } from "../../config.ts";
import { LockstepError } from "../../errors.ts";
import { AuthRequest } from "../../gate/auth-request.ts";
import { askForCertificates, CLIENT_CERTIFICATES, type GateTls } from "../../gate/client-certificates.ts";
import { Htpasswd } from "../../gate/htpasswd.ts";
import { EVERYBODY, type UserRules, type UserSource } from "../../gate/users.ts";
import { WatchedFiles } from "../../io/watched-files.ts";
import { required } from "../../read-config.ts";
import { parseHostPort } from "../../setting-checks.ts";
import { STRONG_CIPHERS } from "../../tls/mutual-tls.ts";

/**
 * Reads who may use the gate. Throws USAGE when settings exclude each other, and when a file is not right. Also throws
 * it when other machines can reach the gate and no setting says who may use it.
 */
export async function readGateUsers(
  config: Config,
  log: Logger,
): Promise<{ users: UserRules; tls?: WatchedFiles<GateTls> }> {
  const anonymous = { read: config["anonymous-reads"] === "1", write: config["anonymous-writes"] === "1" };
  const files = (["gate-tls-cert", "gate-tls-key", "gate-client-ca"] as const).flatMap((name) => config[name] ?? []);
  const tls = files.length > 0 ? await watchTlsFiles(config, files, log) : undefined;
  const sources: UserSource[] = config["gate-client-ca"] === undefined ? [] : [CLIENT_CERTIFICATES];
  const { htpasswd, "auth-request": url } = config;
  if (htpasswd !== undefined && url !== undefined)
    throw usageError("--htpasswd and --auth-request exclude each other: both take passwords; leave one out");
  if (htpasswd !== undefined) sources.push(await Htpasswd.read(htpasswd, log));
  if (url !== undefined) sources.push(new AuthRequest(url, anonymous));
  const { host } = parseHostPort(required(config, "gate-listen"));
  const said = sources.length > 0 || anonymous.read || anonymous.write;
  if (!said && !isLoopback(host))
    throw usageError(
      `--gate-listen ${host} is no loopback address, so everybody who can reach it could read and push; name the users by --auth-request, --htpasswd or --gate-client-ca, or give --anonymous-reads or --anonymous-writes`,
    );
  if (tls === undefined && !isLoopback(host) && sources.some(({ takesPasswords }) => takesPasswords))
    log.warn(
      {},
      "passwords come to the gate unencrypted; give it --gate-tls-cert and --gate-tls-key, or put it behind a server with TLS",
    );
  return { users: said ? { anonymous, sources } : EVERYBODY, ...(tls && { tls }) };
}

/** Returns true for addresses that only programs on this machine can reach. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

async function watchTlsFiles(config: Config, paths: readonly string[], log: Logger): Promise<WatchedFiles<GateTls>> {
  return await WatchedFiles.open({
    ...{ paths, log, what: "certificate files" },
    read: () => readTlsFiles(config),
    fields: () => ({ files: paths }),
    meanwhile: () => "Until then the old files are used.",
  });
}

/** Throws USAGE when the files do not fit, also when the certificate has ended. */
async function readTlsFiles(config: Config): Promise<GateTls> {
  const [cert, key, ca] = [
    await readSetting(config, "gate-tls-cert"),
    await readSetting(config, "gate-tls-key"),
    await readSetting(config, "gate-client-ca"),
  ];
  if (cert === undefined || key === undefined)
    throw usageError(
      "--gate-tls-cert and --gate-tls-key go together, and --gate-client-ca needs both; give the missing one",
    );
  try {
    createSecureContext({ cert, key, ca, ciphers: STRONG_CIPHERS });
    const { validTo } = new X509Certificate(cert);
    if (Date.parse(validTo) <= Date.now()) throw new Error(`the certificate ended at ${validTo}`);
    const authorities = new Set(certificatesIn(ca ?? "").map(({ fingerprint256 }) => fingerprint256));
    if (ca !== undefined && authorities.size === 0) throw new Error("--gate-client-ca holds no certificate in PEM");
    const asking = ca === undefined ? { ciphers: STRONG_CIPHERS } : askForCertificates(ca);
    return { options: { cert, key, minVersion: "TLSv1.2", ...asking }, authorities };
  } catch (cause) {
    throw usageError(
      `The files of --gate-tls-cert, --gate-tls-key and --gate-client-ca do not fit (${(cause as Error).message}); give the right ones`,
      cause,
    );
  }
}

function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----.*?-----END (?:TRUSTED )?CERTIFICATE-----/gs);
  return (blocks ?? []).map((block) => new X509Certificate(block));
}

async function readSetting(config: Config, name: SettingName): Promise<string | undefined> {
  const path = config[name];
  if (path === undefined) return undefined;
  return await readFile(path, "utf8").catch((cause: Error) => {
    throw usageError(`The file of --${name} cannot be read (${cause.message}); correct its path`, cause);
  });
}

function usageError(message: string, cause?: unknown): LockstepError {
  return new LockstepError("USAGE", `${message}.`, { cause });
}
