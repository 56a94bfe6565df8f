// `lockstep repo create`: makes an empty repository and shows how its replicas are made.
import type { Command } from "commander";
import type { Client } from "../../client/client.ts";
import type { Host } from "../../host.ts";
import { prepare, subcommand } from "../terminal/command.ts";
import { namesOf, numberOf } from "../terminal/flag-values.ts";
import { bar, Progress } from "../terminal/progress.ts";
import { describeReplicas, documentOfRepository } from "./repo-show.ts";

/** Makes the command `lockstep repo create`. */
export function createCommand(host: Host): Command {
  return subcommand(
    "create",
    "create an empty repository",
    "lockstep repo create team/app --default-branch main",
    "repo",
  )
    .argument("<name>", "such as team/app; on disk it is ROOT/team/app.git")
    .option(
      "--devices <names>",
      "names of the devices that hold it, separated by commas (default: all devices, also those that join later)",
    )
    .option("--default-branch <branch>", "branch that HEAD names", "main")
    .option("--object-format <format>", "sha1 or sha256", "sha1")
    .option("--min-copies <number>", "on how many devices the objects of a write must be before it lands", "1")
    .action(async (name: string, flags: Record<string, string | undefined>) => {
      const run = prepare(host, "repo", flags);
      using client = await run.connect();
      const request = {
        repository: name,
        devices: namesOf(flags.devices ?? ""),
        defaultBranch: flags.defaultBranch ?? "",
        objectFormat: flags.objectFormat ?? "",
        minCopies: numberOf("--min-copies", flags.minCopies, 999_999),
      };
      {
        using progress = new Progress(host.stderr, run.json);
        using _ = watchReplicas(client, name, progress);
        await client.call("CreateRepository", request, run.patience);
      }
      const details = await client.call("GetRepository", { repository: name }, run.patience);
      run.print(documentOfRepository(details), `Created ${name}.\n${describeReplicas(details)}`);
    });
}

const LOOK_MS = 500;

/** Shows how many devices have made their replica, until the returned value is disposed of. */
function watchReplicas(client: Client, repository: string, progress: Progress): Disposable {
  let made = 0;
  let all = 0;
  progress.show(() => `replicas made: ${bar(made, all)} ${made} of ${all || "?"}`);
  const look = async () => {
    const { replicas } = await client.call("GetRepository", { repository }, { timeoutMs: LOOK_MS });
    all = replicas.length;
    made = replicas.filter(({ state }) => state !== "REPLICA_STATE_PENDING").length;
  };
  // An error is ignored: the repository may not exist yet.
  const timer = setInterval(() => void look().catch(() => {}), LOOK_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
