import { Command } from "commander";
import type { Client } from "../client/client.ts";
import type { Host } from "../host.ts";
import { prepare, subcommand, table } from "./command.ts";
import { bar, Progress } from "./progress.ts";
import { describeReplicas, documentOfRepository, showCommand } from "./repo-show.ts";

export function repoCommand(host: Host): Command {
  return new Command("repo")
    .description("create, list and show repositories")
    .addHelpText("after", "\nExample:\n  lockstep repo create team/app\n")
    .addCommand(createCommand(host))
    .addCommand(listCommand(host))
    .addCommand(showCommand(host));
}

function createCommand(host: Host): Command {
  return subcommand(
    "create",
    "create an empty repository",
    "lockstep repo create team/app --default-branch main",
    "repo",
  )
    .argument("<name>", "such as team/app; on disk it is ROOT/team/app.git")
    .option("--devices <names>", "devices that get a replica, separated by commas (default: every live one)")
    .option("--default-branch <branch>", "what HEAD points to", "main")
    .option("--object-format <format>", "sha1 or sha256", "sha1")
    .action(async (name: string, flags: Record<string, string | undefined>) => {
      const run = prepare(host, "repo", flags);
      using client = run.connect();
      const request = {
        repository: name,
        devices: (flags.devices ?? "").split(",").filter((device) => device !== ""),
        defaultBranch: flags.defaultBranch ?? "",
        objectFormat: flags.objectFormat ?? "",
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

/** Shows how many devices have made their replica, until it is disposed of. */
function watchReplicas(client: Client, repository: string, progress: Progress): Disposable {
  let made = 0;
  let all = 0;
  progress.show(() => `replicas made: ${bar(made, all)} ${made} of ${all || "?"}`);
  const look = async () => {
    const { replicas } = await client.call("GetRepository", { repository }, { timeoutMs: LOOK_MS });
    all = replicas.length;
    made = replicas.filter(({ state }) => state !== "REPLICA_STATE_PENDING").length;
  };
  // Best effort: the repository may not be there yet.
  const timer = setInterval(() => void look().catch(() => {}), LOOK_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

function listCommand(host: Host): Command {
  return subcommand("list", "the repositories by name", "lockstep repo list", "repo").action(async (flags) => {
    const run = prepare(host, "repo", flags);
    using client = run.connect();
    const found: { name: string; version: number }[] = [];
    for (let after = ""; ; ) {
      const request = { after, limit: 10_000 };
      const { repositories } = await client.call("ListRepositories", request, run.patience);
      found.push(...repositories.map(({ name, headVersion }) => ({ name, version: Number(headVersion) })));
      const last = repositories.at(-1);
      if (last === undefined || repositories.length < request.limit) break;
      after = last.name;
    }
    const text =
      found.length === 0 ? "There is no repository yet; `lockstep repo create NAME` makes one." : rows(found);
    run.print({ repositories: found }, text);
  });
}

function rows(found: readonly { name: string; version: number }[]): string {
  return table(
    ["repository", "version"],
    found.map(({ name, version }) => [name, String(version)]),
  );
}
