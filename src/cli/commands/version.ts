import type { Command } from "commander";
import type { Host } from "../../host.ts";
import { ownVersion } from "../../installation.ts";
import { prepare, subcommand } from "../terminal/command.ts";

/** Makes the command `lockstep version`. */
export function versionCommand(host: Host): Command {
  return subcommand("version", "show the versions of Lockstep, git and the schema", "lockstep version --json").action(
    async (flags) => {
      const run = prepare(host, "version", flags);
      const version = ownVersion();
      const context = { path: host.env.PATH ?? "", home: "/", lockFd: null };
      const [{ gitVersion }, { knownSchemaLevel }] = await Promise.all([
        import("../../git/version.ts"),
        import("../../store/database/migrate.ts"),
      ]);
      const git = await gitVersion(context, "/").catch(() => null);
      const document = { lockstep: version, git, schema: knownSchemaLevel() };
      run.print(document, `lockstep ${version}\ngit ${git ?? "(none found)"}\nschema level ${document.schema}`);
    },
  );
}
