// `lockstep ca issue`: makes a key and a certificate.
import { resolve } from "node:path";
import type { Command } from "commander";
import { issue } from "../../ca/authority.ts";
import { writeNewCredentials } from "../../ca/credentials.ts";
import { type CertificateDocument, describeCertificate, readAuthority } from "../../ca/folder.ts";
import { LockstepError } from "../../errors.ts";
import type { Host } from "../../host.ts";
import type { Role } from "../../tls/identity.ts";
import { DAYS, KEY_TYPE, keyTypeOf, termOf } from "../parts/ca-flags.ts";
import { prepare, subcommand } from "../terminal/command.ts";

const ROLES = ["device", "frontend", "operator"] as const;

interface IssueFlags {
  role?: string;
  name?: string;
  host?: string[];
  days?: string;
  seconds?: string;
  out?: string;
  keyType: string;
}

/** Makes the command `lockstep ca issue`. */
export function issueCommand(host: Host): Command {
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

function needed(flag: string, value: string | undefined): string {
  if (value !== undefined && value !== "") return value;
  throw new LockstepError("USAGE", `${flag} is missing; \`lockstep ca issue --help\` shows an example.`);
}

function roleOf(role: string | undefined): Role {
  const found = ROLES.find((each) => each === role);
  if (found !== undefined) return found;
  throw new LockstepError("USAGE", `--role must be device, frontend or operator, not ${JSON.stringify(role ?? "")}.`);
}
