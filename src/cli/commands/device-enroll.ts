// `lockstep device enroll`: trusts the key of a device before it comes, or makes a token with which it enrols itself.
import type { Command } from "commander";
import { LockstepError } from "../../errors.ts";
import type { Host } from "../../host.ts";
import { keyOf, trust } from "../parts/key-commands.ts";
import { connectToChange } from "../parts/owner-client.ts";
import { authorOf, prepare, subcommand } from "../terminal/command.ts";
import { instant } from "../text/times.ts";

/** Makes the command `lockstep device enroll`. */
export function enrollCommand(host: Host): Command {
  return subcommand(
    "enroll",
    "trust the key of a device before it comes, or make a token with which it enrols itself once",
    "lockstep device enroll repo004 --cert repo004.pem",
    "device",
  )
    .argument("<name>")
    .option("--cert <FILE>", "its certificate, PEM")
    .option("--key-fingerprint <F>", "the fingerprint of its key, such as sha256:…")
    .option("--token", "print a token for `lockstep serve --enroll-token-file`; it ends after an hour")
    .action(async (name: string, flags: { cert?: string; keyFingerprint?: string; token?: boolean }) => {
      const run = prepare(host, "device", flags as Record<string, unknown>);
      const given = [flags.cert, flags.keyFingerprint, flags.token].filter((flag) => flag !== undefined);
      if (given.length !== 1) throw new LockstepError("USAGE", "Give one of --cert, --key-fingerprint and --token.");
      if (!flags.token) return await trust(run, "device", name, await keyOf(host, flags));
      await using client = await connectToChange(run);
      const { token, endsAt } = await client.call("MakeEnrollToken", { name, author: authorOf(host) }, run.patience);
      run.print({ name, token, ends_at: instant(endsAt) }, token);
    });
}
