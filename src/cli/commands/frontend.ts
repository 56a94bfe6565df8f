// `lockstep frontend` and `lockstep operator`: whose certificates are let in.
import { Command } from "commander";
import type { Host } from "../../host.ts";
import { listCommand, revokeCommand, showCommand, trustCommand } from "../parts/key-commands.ts";

/** Makes the command `lockstep frontend`. */
export function frontendCommand(host: Host): Command {
  return commandOf(host, "frontend", "list, trust, limit and revoke the front ends that call the sidecars");
}

/** Makes the command `lockstep operator`. */
export function operatorCommand(host: Host): Command {
  return commandOf(host, "operator", "list, trust and revoke the operators that call from other machines");
}

function commandOf(host: Host, role: "frontend" | "operator", summary: string): Command {
  return new Command(role)
    .description(summary)
    .addHelpText("after", `\nExample:\n  lockstep ${role} trust NAME --cert NAME.pem\n`)
    .addCommand(listCommand(host, role))
    .addCommand(showCommand(host, role))
    .addCommand(trustCommand(host, role))
    .addCommand(revokeCommand(host, role));
}
