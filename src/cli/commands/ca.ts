// `lockstep ca`: a small certificate authority, for those without one. It works on files and asks no sidecar.
import { resolve } from "node:path";
import { Command } from "commander";
import { createAuthority } from "../../ca/authority.ts";
import { writeNewCredentials } from "../../ca/credentials.ts";
import { describeAuthority, listIssued, readAuthority } from "../../ca/folder.ts";
import type { Host } from "../../host.ts";
import { AUTHORITY_DAYS, daysOf, KEY_TYPE, keyTypeOf } from "../parts/ca-flags.ts";
import { prepare, subcommand } from "../terminal/command.ts";
import { table } from "../terminal/styled.ts";
import { issueCommand } from "./ca-issue.ts";
import { renewCommand } from "./ca-renew.ts";

const TRUST_DOMAIN = "lockstep.internal";

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
      const days = daysOf(flags.days);
      const made = await createAuthority({ trustDomain: flags.trustDomain, days, keyType: keyTypeOf(flags.keyType) });
      const { certificate, key } = await writeNewCredentials(dir, "ca", made);
      const authority = await describeAuthority(dir);
      run.print(
        authority,
        `Wrote ${certificate} and ${key}: the authority of ${authority.trust_domain}, until ${authority.not_after}.\n` +
          `Give ${certificate} to every device (--tls-ca). Keep ${key} where no device runs.`,
      );
    });
}

function showCommand(host: Host): Command {
  return subcommand("show", "show an authority, and its certificates in that folder", "lockstep ca show ca", "ca")
    .argument("<DIR>")
    .action(async (given: string, flags) => {
      const run = prepare(host, "ca", flags);
      const dir = resolve(host.cwd, given);
      const document = await describeAuthority(dir);
      const issued = await listIssued(await readAuthority(dir), dir);
      const heading = `The authority of ${document.trust_domain}, until ${document.not_after}: ${document.ca}`;
      const rows = issued.map((each) => [each.role, each.name, each.not_after, each.hosts.join(" "), each.cert]);
      const listed = rows.length > 0 ? `\n${table(["role", "name", "until", "hosts", "file"], rows)}` : "";
      run.print({ ...document, certificates: issued }, heading + listed);
    });
}
