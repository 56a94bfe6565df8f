// `lockstep repo restore`: puts a repository that was removed back into service.
import type { Command } from "commander";
import type { Host } from "../../host.ts";
import { untilDone } from "../parts/until-done.ts";
import { authorOf, prepare, subcommand } from "../terminal/command.ts";
import { showWhile } from "../terminal/progress.ts";
import { describeOpen, exitUnlessDone } from "../text/parts-of-devices.ts";

/** Looking at the place of a name may wait for devices that are silent. */
const PATIENCE_MS = 120_000;

type RestoreFlags = {
  readonly as: string;
  readonly id: string;
  readonly reason: string;
};

/** Makes the command `lockstep repo restore`. */
export function restoreCommand(host: Host): Command {
  return subcommand(
    "restore",
    "put a repository that was removed back into service, with its log",
    "lockstep repo restore team/app",
    "repo",
  )
    .argument("<name>", "the name that it had")
    .option("--as <new>", "the name that it gets (default: the one that it had)", "")
    .option(
      "--id <id>",
      "which one, if several had the name; `lockstep repo list --removed` lists them (default: the one removed last)",
      "",
    )
    .option("--reason <text>", "why, for the audit", "")
    .action(async (name: string, flags: RestoreFlags) => {
      const run = prepare(host, "repo", flags);
      using client = await run.connect();
      const request = {
        repository: name,
        repositoryId: flags.id,
        newName: flags.as,
        author: authorOf(host),
        reason: flags.reason,
        atOnce: true,
      };
      const asked = client.call("RestoreRepository", request, { timeoutMs: PATIENCE_MS, signal: host.stop });
      const done = await showWhile(run, `restoring ${name}`, asked);
      const devices = await untilDone(run, client, done.commands);
      const document = { repository: done.repository, restored: true, id: done.repositoryId, devices };
      run.print(document, [`${done.repository} is back in service.`, ...devices.flatMap(describeOpen)].join("\n"));
      exitUnlessDone(devices);
    });
}
