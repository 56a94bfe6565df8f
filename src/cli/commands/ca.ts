// `lockstep ca`: a small certificate authority, for those without one. It works on files and asks no sidecar.
import { X509Certificate } from "node:crypto";
import { resolve } from "node:path";
import { Command } from "commander";
import { createAuthority, issue, trustDomainOf } from "../../ca/authority.ts";
import { writeNewCredentials } from "../../ca/credentials.ts";
import {
  type CertificateDocument,
  describeCertificate,
  listIssued,
  readAuthority,
  renewAuthority,
  renewBelow,
} from "../../ca/folder.ts";
import type { KeyType } from "../../ca/keys.ts";
import { LockstepError } from "../../errors.ts";
import type { Host } from "../../host.ts";
import type { Role } from "../../tls/identity.ts";
import { prepare, subcommand, table } from "../terminal/command.ts";

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = "3650";
const DAYS = "90";
const RENEW_DAYS = "30";
const TRUST_DOMAIN = "lockstep.internal";
const ROLES = ["device", "frontend", "operator"] as const;
const KEY_TYPES = ["p256", "ed25519"] as const;
const KEY_TYPE = ["--key-type <TYPE>", "kind of the new key: p256 or ed25519", "p256"] as const;

/** Makes the command `lockstep ca`. */
export function caCommand(host: Host): Command {
  return new Command("ca")
    .description("a small certificate authority: make it, issue certificates, renew them")
    .addHelpText(
      "after",
      "\nExample:\n  lockstep ca init ca && lockstep ca issue ca --role device --name repo001 --host repo001.internal --out certs\n",
    )
    .addCommand(initCommand(host))
    .addCommand(issueCommand(host))
    .addCommand(showCommand(host))
    .addCommand(renewCommand(host));
}

interface InitFlags {
  trustDomain: string;
  days: string;
  keyType: string;
}

function initCommand(host: Host): Command {
  return subcommand("init", "make an authority: DIR/ca.pem and DIR/ca.key", "lockstep ca init ca", "ca")
    .argument("<DIR>")
    .option("--trust-domain <DOMAIN>", "trust domain of the cluster, in all of its certificates", TRUST_DOMAIN)
    .option("--days <N>", "days until the authority ends", AUTHORITY_DAYS)
    .option(...KEY_TYPE)
    .action(async (given: string, flags: InitFlags) => {
      const run = prepare(host, "ca", { ...flags });
      const dir = resolve(host.cwd, given);
      const days = positive("--days", flags.days);
      const made = await createAuthority({ trustDomain: flags.trustDomain, days, keyType: keyTypeOf(flags.keyType) });
      const { certificate, key } = await writeNewCredentials(dir, "ca", made);
      const authority = await authorityDocument(dir);
      run.print(
        authority,
        `Wrote ${certificate} and ${key}: the authority of ${authority.trust_domain}, until ${authority.not_after}.\n` +
          `Give ${certificate} to every device (--tls-ca). Keep ${key} where no device runs.`,
      );
    });
}

interface IssueFlags {
  role?: string;
  name?: string;
  host?: string[];
  days?: string;
  seconds?: string;
  out?: string;
  keyType: string;
}

function issueCommand(host: Host): Command {
  const collect = (value: string, before: string[] = []) => [...before, value];
  return subcommand(
    "issue",
    "make a key and a certificate: NAME.pem and NAME.key in the folder of --out",
    "lockstep ca issue ca --role device --name repo001 --host repo001.internal --host 10.0.0.1 --out certs",
    "ca",
  )
    .argument("<DIR>", "folder of the authority")
    .option("--role <ROLE>", "device, frontend or operator")
    .option("--name <NAME>", "name of the device, front end or operator")
    .option("--host <HOST>", "DNS name or IP address under which the device is reached; may be given again", collect)
    .option("--days <N>", `days until the certificate ends (default: ${DAYS})`)
    .option("--seconds <N>", "seconds until the certificate ends, in place of --days")
    .option("--out <DIR>", "folder for the two files")
    .option(...KEY_TYPE)
    .action(async (given: string, flags: IssueFlags) => {
      const run = prepare(host, "ca", { ...flags });
      const { role, name } = { role: roleOf(flags.role), name: needed("--name", flags.name) };
      const out = resolve(host.cwd, needed("--out", flags.out));
      const days = termOf(flags);
      const authority = await readAuthority(resolve(host.cwd, given));
      // Clients of other makes compare the host with a DNS name or an IP address, and find a device by its name too.
      const hosts = role === "device" ? [...new Set([...(flags.host ?? []), name])] : (flags.host ?? []);
      const pair = await issue(authority, { role, name, hosts, days, keyType: keyTypeOf(flags.keyType) });
      const { certificate, key } = await writeNewCredentials(out, name, pair);
      const document = (await describeCertificate(certificate, pair.certificatePem)) as CertificateDocument;
      run.print(
        document,
        `Wrote ${certificate} and ${key}: ${role} ${name} of ${document.trust_domain}, until ${document.not_after}.`,
      );
    });
}

function showCommand(host: Host): Command {
  return subcommand("show", "show an authority, and its certificates in that folder", "lockstep ca show ca", "ca")
    .argument("<DIR>")
    .action(async (given: string, flags) => {
      const run = prepare(host, "ca", flags);
      const dir = resolve(host.cwd, given);
      const document = await authorityDocument(dir);
      const issued = await listIssued(await readAuthority(dir), dir);
      const heading = `The authority of ${document.trust_domain}, until ${document.not_after}: ${document.ca}`;
      const rows = issued.map((each) => [each.role, each.name, each.not_after, each.hosts.join(" "), each.cert]);
      const listed = rows.length > 0 ? `\n${table(["role", "name", "until", "hosts", "file"], rows)}` : "";
      run.print({ ...document, certificates: issued }, heading + listed);
    });
}

interface RenewFlags {
  out?: string;
  within: string;
  days?: string;
  seconds?: string;
  newKey?: boolean;
  keyType: string;
  authority?: boolean;
}

function renewCommand(host: Host): Command {
  return subcommand(
    "renew",
    "issue certificates anew that end soon, with the same names; a sidecar takes the new files without a restart",
    "lockstep ca renew ca --out certs",
    "ca",
  )
    .argument("<DIR>", "folder of the authority")
    .option(
      "--out <DIR>",
      "folder of the certificates to renew, and the folders in it (default: that of the authority)",
    )
    .option("--within <N>", "renew what ends within this many days", RENEW_DAYS)
    .option("--days <N>", "days until the new certificate ends (default: as long as the old one was valid)")
    .option("--seconds <N>", "seconds until the new certificate ends, in place of --days")
    .option("--new-key", "make a new key too; trust it with `lockstep device trust` where keys are pinned")
    .option(...KEY_TYPE)
    .option("--authority", "renew the authority itself, with the same key: what it has issued stays valid")
    .action(async (given: string, flags: RenewFlags) => {
      const run = prepare(host, "ca", { ...flags });
      const dir = resolve(host.cwd, given);
      const days = flags.days === undefined && flags.seconds === undefined ? undefined : termOf(flags);
      if (flags.authority === true) {
        const { trust_domain } = await authorityDocument(dir);
        await renewAuthority(dir, trust_domain, days ?? Number(AUTHORITY_DAYS));
        const document = await authorityDocument(dir);
        return run.print(document, `Renewed ${document.ca}, until ${document.not_after}; give it to every device.`);
      }
      const authority = await readAuthority(dir);
      trustDomainOf(authority);
      const renewed = await renewBelow(authority, resolve(host.cwd, flags.out ?? given), {
        withinMs: positive("--within", flags.within) * DAY_MS,
        days,
        newKey: flags.newKey === true ? keyTypeOf(flags.keyType) : undefined,
      });
      const lines = renewed.map(
        ({ cert, role, name, not_after }) => `Renewed ${cert}: ${role} ${name}, until ${not_after}.`,
      );
      run.print({ renewed }, lines.join("\n") || `No certificate there ends within ${flags.within} days.`);
    });
}

interface AuthorityDocument {
  readonly ca: string;
  readonly key: string;
  readonly trust_domain: string;
  readonly not_after: string;
}

async function authorityDocument(dir: string): Promise<AuthorityDocument> {
  const authority = await readAuthority(dir);
  return {
    ca: resolve(dir, "ca.pem"),
    key: resolve(dir, "ca.key"),
    trust_domain: trustDomainOf(authority),
    not_after: new Date(new X509Certificate(authority.certificatePem).validTo).toISOString(),
  };
}

function needed(flag: string, value: string | undefined): string {
  if (value !== undefined && value !== "") return value;
  throw new LockstepError("USAGE", `${flag} is missing; \`lockstep ca issue --help\` shows an example.`);
}

function roleOf(role: string | undefined): Role {
  const found = ROLES.find((each) => each === role);
  if (found !== undefined) return found;
  throw new LockstepError("USAGE", `--role must be device, frontend or operator, not ${JSON.stringify(role ?? "")}.`);
}

function keyTypeOf(text: string): KeyType {
  const found = KEY_TYPES.find((each) => each === text);
  if (found !== undefined) return found;
  throw new LockstepError("USAGE", `--key-type must be p256 or ed25519, not ${JSON.stringify(text)}.`);
}

/** Returns the term in days of --days or --seconds. */
function termOf({ days, seconds }: { days?: string; seconds?: string }): number {
  if (days !== undefined && seconds !== undefined)
    throw new LockstepError("USAGE", "--days and --seconds exclude each other; give one of them.");
  // A certificate ends at a whole second. Rounded down, one for two seconds would be half over at once.
  return seconds === undefined ? positive("--days", days ?? DAYS) : (positive("--seconds", seconds) + 1) / 86_400;
}

/** More than this is most likely a mistake, and X.509 ends at the year 9999. */
const MOST = 1_000_000_000;

function positive(flag: string, text: string): number {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (number > 0 && number <= MOST && (flag === "--seconds" || number <= 36_500)) return number;
  throw new LockstepError("USAGE", `${flag} must be a whole number above 0, not ${JSON.stringify(text)}.`);
}
