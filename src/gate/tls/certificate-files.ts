// The certificate files of the gate. They are read again while it runs, and the log warns before a certificate ends.
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { Logger } from "pino";
import type { RevocationList, RevocationLists } from "../../ca/revocation-lists.ts";
import { LockstepError } from "../../errors.ts";
import { WatchedFiles } from "../../io/watched-files.ts";
import type { Config, SettingName } from "../../settings/config.ts";
import { EndingTeller, type Expiring } from "../../tls/endings.ts";
import { STRONG_CIPHERS } from "../../tls/mutual-tls.ts";
import { instant } from "../../tls/peer-certificate.ts";
import { askForCertificates, type GateTls } from "./connections.ts";

const FILES = ["gate-tls-cert", "gate-tls-key", "gate-client-ca", "gate-client-crl"] as const;

interface ReadTls extends GateTls {
  readonly expiring: readonly Expiring[];
  /** The first end of what each file holds, in milliseconds. */
  readonly ends: readonly { readonly file: string; readonly endsAt: number }[];
}

export type WatchedGateTls = WatchedFiles<ReadTls>;

/** Reads the files. undefined: the gate has none. Throws USAGE when they do not fit. */
export async function watchGateTls(config: Config, log: Logger): Promise<WatchedGateTls | undefined> {
  const paths = FILES.flatMap((name) => config[name] ?? []);
  if (paths.length === 0) return undefined;
  const teller = new EndingTeller(log);
  return await WatchedFiles.open({
    ...{ paths, log, what: "certificate files" },
    read: () => readTlsFiles(config),
    fields: () => ({ files: paths }),
    meanwhile: () => "Until then the old files are used.",
    beforeLook: ({ expiring }: ReadTls) => teller.tell(expiring),
  });
}

/** Throws USAGE when the files do not fit, also when the certificate has ended. */
async function readTlsFiles(config: Config): Promise<ReadTls> {
  const [cert, key, ca, crl] = [
    await readSetting(config, "gate-tls-cert"),
    await readSetting(config, "gate-tls-key"),
    await readSetting(config, "gate-client-ca"),
    await readSetting(config, "gate-client-crl"),
  ];
  if (cert === undefined || key === undefined)
    throw usageError(
      "--gate-tls-cert and --gate-tls-key go together, and --gate-client-ca needs both; give the missing one",
    );
  if (crl !== undefined && ca === undefined)
    throw usageError("--gate-client-crl needs --gate-client-ca, whose users it refuses; give both");
  try {
    const own = new X509Certificate(cert);
    if (Date.parse(own.validTo) <= Date.now()) throw new Error(`the certificate ended at ${own.validTo}`);
    const authorities = certificatesIn(ca ?? "");
    if (ca !== undefined && authorities.length === 0) throw new Error("--gate-client-ca holds no certificate in PEM");
    const revoked = crl === undefined ? undefined : await readLists(crl, authorities);
    const pem = revoked?.lists.map((list) => list.pem);
    const asking = ca === undefined ? { ciphers: STRONG_CIPHERS } : askForCertificates(ca, pem);
    const options = { cert, key, minVersion: "TLSv1.2", ...asking } as const;
    createSecureContext(options);
    const [users, lists] = [authorities.map(ofAuthority), (revoked?.lists ?? []).filter(ends).map(ofList)];
    return {
      options,
      authorities: new Set(authorities.map(({ fingerprint256 }) => fingerprint256)),
      isRevoked: (chain) => revoked?.isRevoked(chain) ?? false,
      expiring: [ofGate(own), ...users, ...lists],
      ends: [
        ...firstEnd("gate-tls-cert", [ofGate(own)]),
        ...firstEnd("gate-client-ca", users),
        ...firstEnd("gate-client-crl", lists),
      ],
    };
  } catch (cause) {
    const files = `${FILES.slice(0, -1)
      .map((name) => `--${name}`)
      .join(", ")} and --gate-client-crl`;
    throw usageError(`The files of ${files} do not fit (${(cause as Error).message}); give the right ones`, cause);
  }
}

function firstEnd(file: SettingName, all: readonly Expiring[]) {
  return all.length === 0 ? [] : [{ file, endsAt: Math.min(...all.map(({ endsAt }) => endsAt)) }];
}

function ends({ endsAt }: RevocationList): boolean {
  return Number.isFinite(endsAt);
}

async function readLists(pem: string, authorities: readonly X509Certificate[]): Promise<RevocationLists> {
  const { readRevocationLists } = await import("../../ca/revocation-lists.ts");
  return await readRevocationLists(pem, authorities).catch((cause: Error) => {
    throw new Error(`--gate-client-crl is not right: ${cause.message}`, { cause });
  });
}

function ofGate(certificate: X509Certificate): Expiring {
  const remedy = "put a new one in the place of --gate-tls-cert, it is read without a restart";
  return expiring(certificate, "The certificate of the gate", remedy);
}

function ofAuthority(certificate: X509Certificate): Expiring {
  const whose = `The authority ${certificate.subject.replaceAll("\n", ", ")} of --gate-client-ca`;
  return expiring(certificate, whose, "renew it, and give its users new certificates");
}

/** TLS refuses all users of an authority whose list has ended. */
function ofList({ pem, issuer, beginsAt, endsAt }: RevocationList): Expiring {
  const whose = `The list of revoked certificates of ${issuer} in --gate-client-crl`;
  const remedy = "put a new one in its place, or all its users are refused";
  return { key: pem, whose, remedy, beginsAt, endsAt, ended: `${whose} ended at ${instant(endsAt)}; ${remedy}.` };
}

function expiring(
  { validFrom, validTo, fingerprint256: key }: X509Certificate,
  whose: string,
  remedy: string,
): Expiring {
  const [beginsAt, endsAt] = [Date.parse(validFrom), Date.parse(validTo)];
  return { key, whose, remedy, beginsAt, endsAt, ended: `${whose} ended at ${instant(endsAt)}; ${remedy}.` };
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
