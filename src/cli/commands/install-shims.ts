// `lockstep install-shims`: puts the native programs where another container, or sshd, finds them.
import { resolve } from "node:path";
import type { Command } from "commander";
import type { Host } from "../../host.ts";
import { required } from "../../settings/read-config.ts";
import { prepare, subcommand } from "../terminal/command.ts";

/** Makes the command `lockstep install-shims`. */
export function installShimsCommand(host: Host): Command {
  return subcommand(
    "install-shims",
    "put lockstep-git, lockstep-shell and the programs for ssh into a directory, with the settings of the sidecar",
    "lockstep install-shims /shims --root /srv/git",
  )
    .argument("<DIR>", "directory, which is made if it is absent")
    .action(async (given: string, flags) => {
      const run = prepare(host, "install-shims", flags);
      const { copyShims } = await import("../../git/root/install-shim.ts");
      const programs = await copyShims(resolve(host.cwd, given), {
        root: required(run.config, "root"),
        socketDir: required(run.config, "socket-dir"),
        pushRefs: Number(required(run.config, "push-refs")),
        pushObject: Number(required(run.config, "push-object")),
        pushMemory: Number(required(run.config, "push-memory")),
      });
      run.print({ programs }, programs.map((path) => `Installed ${path}.`).join("\n"));
    });
}
