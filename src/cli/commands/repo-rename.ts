// `lockstep repo rename`: gives a repository another name on all devices.
import type { Command } from "commander";
import type { Host } from "../../host.ts";
import { untilDone } from "../parts/until-done.ts";
import { authorOf, prepare, subcommand } from "../terminal/command.ts";
import { showWhile } from "../terminal/progress.ts";
import { describeOpen, exitUnlessDone } from "../text/parts-of-devices.ts";

/** Looking at the place of a name may wait for devices that are silent. */
const PATIENCE_MS = 120_000;

/** Makes the command `lockstep repo rename`. */
export function renameCommand(host: Host): Command {
  return subcommand(
    "rename",
    "give a repository another name; the old name is free at once",
    "lockstep repo rename team/app team/shop",
    "repo",
  )
    .argument("<name>")
    .argument("<new>", "the new name")
    .option("--reason <text>", "why, for the audit", "")
    .action(async (name: string, newName: string, flags: { reason: string }) => {
      const run = prepare(host, "repo", flags);
      using client = await run.connect();
      const request = { repository: name, newName, author: authorOf(host), reason: flags.reason, atOnce: true };
      const asked = client.call("RenameRepository", request, { timeoutMs: PATIENCE_MS, signal: host.stop });
      const { commands } = await showWhile(run, `renaming ${name}`, asked);
      const devices = await untilDone(run, client, commands);
      const document = { repository: newName, renamed_from: name, devices };
      run.print(document, [`${name} is called ${newName} now.`, ...devices.flatMap(describeOpen)].join("\n"));
      exitUnlessDone(devices);
    });
}
