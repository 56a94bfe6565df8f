// `lockstep device authorized-keys`: the lines with which sshd lets other devices in, all of them or, for sshd itself,
// that of one key.
import type { Command } from "commander";
import type { Host } from "../../host.ts";
import { prepare, subcommand } from "../terminal/command.ts";

/** Makes the subcommand. */
export function authorizedKeysCommand(host: Host): Command {
  return subcommand(
    "authorized-keys",
    "print the lines of authorized_keys for all trusted devices; with a key, as sshd's AuthorizedKeysCommand gives it (%t %k), only the line of that key",
    "lockstep device authorized-keys",
    "device",
  )
    .argument("[type]", "the type of a key, such as ssh-ed25519")
    .argument("[key]", "the key, base64")
    .option("--shell <FILE>", "the lockstep-shell that the lines force (default: the one in the root of this device)")
    .action(async (type: string | undefined, key: string | undefined, flags: { shell?: string }) => {
      const run = prepare(host, "device", flags as Record<string, unknown>);
      using client = await run.connect();
      const asked = { key: [type, key].filter(Boolean).join(" "), shell: flags.shell ?? "" };
      const { lines } = await client.call("ListAuthorizedKeys", asked, run.patience);
      run.print({ lines }, lines.join("\n"));
    });
}
