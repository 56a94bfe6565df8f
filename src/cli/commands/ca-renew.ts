// `lockstep ca renew`: issues certificates anew that end soon, or renews the authority itself.
import { resolve } from "node:path";
import type { Command } from "commander";
import { trustDomainOf } from "../../ca/authority.ts";
import { describeAuthority, readAuthority, renewAuthority, renewBelow } from "../../ca/folder.ts";
import type { Host } from "../../host.ts";
import { AUTHORITY_DAYS, daysOf, KEY_TYPE, keyTypeOf, termOf } from "../parts/ca-flags.ts";
import { prepare, subcommand } from "../terminal/command.ts";

const DAY_MS = 86_400_000;
const RENEW_DAYS = "30";

interface RenewFlags {
  out?: string;
  within: string;
  days?: string;
  seconds?: string;
  newKey?: boolean;
  keyType: string;
  authority?: boolean;
}

/** Makes the command `lockstep ca renew`. */
export function renewCommand(host: Host): Command {
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
        const { trust_domain } = await describeAuthority(dir);
        await renewAuthority(dir, trust_domain, days ?? Number(AUTHORITY_DAYS));
        const document = await describeAuthority(dir);
        return run.print(document, `Renewed ${document.ca}, until ${document.not_after}; give it to every device.`);
      }
      const authority = await readAuthority(dir);
      trustDomainOf(authority);
      const renewed = await renewBelow(authority, resolve(host.cwd, flags.out ?? given), {
        withinMs: daysOf(flags.within, "--within") * DAY_MS,
        days,
        newKey: flags.newKey === true ? keyTypeOf(flags.keyType) : undefined,
      });
      const lines = renewed.map(
        ({ cert, role, name, not_after }) => `Renewed ${cert}: ${role} ${name}, until ${not_after}.`,
      );
      run.print({ renewed }, lines.join("\n") || `No certificate there ends within ${flags.within} days.`);
    });
}
