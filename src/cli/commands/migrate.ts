import type { Command } from "commander";
import type { Host } from "../../host.ts";
import { required } from "../../settings/read-config.ts";
import { prepare, subcommand } from "../terminal/command.ts";
import { showWhile } from "../terminal/progress.ts";

/** Makes the command `lockstep migrate`. */
export function migrateCommand(host: Host): Command {
  return subcommand(
    "migrate",
    "bring the database schema to the level of this program; `serve` does the same when it starts",
    "LOCKSTEP_DATABASE_URL=postgres://lockstep:secret@db/lockstep lockstep migrate",
  ).action(async (flags) => {
    const run = prepare(host, "migrate", flags);
    const { migrate } = await import("../../store/database/migrate.ts");
    const { from, to } = await showWhile(
      run,
      "waiting for the tables, which running sidecars use",
      migrate(required(run.config, "database-url"), host.stop),
    );
    run.print(
      { from, to },
      from === to ? `The schema is at level ${to} already.` : `The schema went from level ${from} to ${to}.`,
    );
  });
}
