import { Command } from "commander";
import type { GetRepositoryResponse__Output as Details } from "../generated/lockstep/v1/GetRepositoryResponse.ts";
import type { Host } from "../host.ts";
import { toMs } from "../proto.ts";
import { prepare, subcommand, table } from "./command.ts";
import { describeEntries, documentOf } from "./log.ts";

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
      await client.call("CreateRepository", request, run.patience);
      const details = await client.call("GetRepository", { repository: name }, run.patience);
      run.print(documentOfRepository(details), `Created ${name}.\n${describeReplicas(details)}`);
    });
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

function showCommand(host: Host): Command {
  return subcommand(
    "show",
    "one repository: replicas, writer, the last 20 log entries",
    "lockstep repo show team/app",
    "repo",
  )
    .argument("<name>")
    .action(async (name: string, flags) => {
      const run = prepare(host, "repo", flags);
      using client = run.connect();
      const [details, { entries }] = await Promise.all([
        client.call("GetRepository", { repository: name }, run.patience),
        client.call("ListLog", { repository: name, limit: 20 }, run.patience),
      ]);
      const writer = details.writer
        ? `\nwriting: ${details.writer.author} on ${details.writer.device}, base ${details.writer.baseVersion}\n`
        : "";
      const text = `${name} at version ${details.repository?.headVersion}\n${writer}\n${describeReplicas(details)}\n\n${describeEntries(entries)}`;
      run.print({ ...documentOfRepository(details), log: entries.map(documentOf) }, text);
    });
}

function documentOfRepository({ repository, replicas, writer }: Details) {
  return {
    name: repository?.name,
    version: Number(repository?.headVersion),
    object_format: repository?.objectFormat,
    replicas: replicas.map((replica) => ({
      device: replica.device,
      version: Number(replica.version),
      state: stateName(replica.state),
      leader: replica.leader,
      live: replica.live,
      last_error: replica.lastError,
      updated_at: new Date(toMs(replica.updatedAt as never) ?? 0).toISOString(),
    })),
    writer: writer && {
      write_id: writer.writeId,
      device: writer.device,
      author: writer.author,
      base_version: Number(writer.baseVersion),
      started_at: new Date(toMs(writer.startedAt as never) ?? 0).toISOString(),
    },
  };
}

function describeReplicas({ replicas }: Details): string {
  return table(
    ["device", "version", "state", "leader", "live", "last error"],
    replicas.map(({ device, version, state, leader, live, lastError }) => [
      device,
      version,
      stateName(state),
      leader ? "yes" : "no",
      live ? "yes" : "no",
      lastError,
    ]),
  );
}

function stateName(state: string): string {
  return state.replace("REPLICA_STATE_", "").toLowerCase();
}
