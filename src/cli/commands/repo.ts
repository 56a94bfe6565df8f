import { Command } from "commander";
import type { Client } from "../../client/client.ts";
import { LockstepError } from "../../errors.ts";
import type { Host } from "../../host.ts";
import { toDuration, toMs } from "../../protocol/times.ts";
import { describeKeep, parseKeep } from "../../retention.ts";
import { authorOf, prepare, subcommand, table } from "../terminal/command.ts";
import { bar, Progress } from "../terminal/progress.ts";
import { adoptCommand } from "./repo-adopt.ts";
import { listRemovedRepositories, removeCommand } from "./repo-remove.ts";
import { renameCommand } from "./repo-rename.ts";
import { restoreCommand } from "./repo-restore.ts";
import { describeReplicas, documentOfRepository, showCommand } from "./repo-show.ts";
import { undoCommand } from "./repo-undo.ts";

/** Makes the command `lockstep repo`. */
export function repoCommand(host: Host): Command {
  return new Command("repo")
    .description("create, list, show, rename and remove repositories")
    .addHelpText("after", "\nExample:\n  lockstep repo create team/app\n")
    .addCommand(createCommand(host))
    .addCommand(adoptCommand(host))
    .addCommand(setCommand(host))
    .addCommand(listCommand(host))
    .addCommand(showCommand(host))
    .addCommand(renameCommand(host))
    .addCommand(removeCommand(host))
    .addCommand(restoreCommand(host))
    .addCommand(undoCommand(host));
}

function createCommand(host: Host): Command {
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
        minCopies: numberOf(flags.minCopies),
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

function setCommand(host: Host): Command {
  return subcommand("set", "change the settings of a repository", "lockstep repo set team/app --min-copies 2", "repo")
    .argument("<name>")
    .option("--min-copies <number>", "on how many devices the objects of a write must be before it lands")
    .option(
      "--land-with-fewer",
      "if too few devices take the objects in time, land the write all the same and tell the pusher",
    )
    .option("--no-land-with-fewer", "if too few devices take the objects in time, refuse the write")
    .option(
      "--devices <names>",
      "only these devices hold it; the others give their copies up once these have everything",
    )
    .option("--keep-days <days>", "with --devices: how long the others keep the files of their copies (default: 14)")
    .option("--all-devices", "all devices hold it, also those that join later")
    .option(
      "--update-limit <time>",
      "for how long one update of a replica may run, such as 90s, 30m or 6h; default: 15m, and 4h for a first copy",
    )
    .option(
      "--keep-log <time>",
      "how much of its log is kept: 10000 (versions), 90d, or 10000,90d (while either keeps it); default: as in the cluster",
    )
    .action(async (name: string, flags: SetFlags) => {
      const run = prepare(host, "repo", flags);
      const placement = placementOf(flags);
      const given = [flags.minCopies, flags.landWithFewer, flags.updateLimit, flags.keepLog, placement];
      if (given.every((each) => each === undefined))
        throw new LockstepError(
          "USAGE",
          "No setting is given; `lockstep repo set --help` lists the settings that can be changed.",
        );
      using client = await run.connect();
      const request = {
        repository: name,
        ...(flags.minCopies !== undefined && { minCopies: numberOf(flags.minCopies) }),
        ...(flags.landWithFewer !== undefined && { landWithFewer: flags.landWithFewer }),
        ...(placement && { placement }),
        ...(flags.updateLimit !== undefined && { updateLimit: toDuration(limitOf(flags.updateLimit)) }),
        ...(flags.keepLog !== undefined && { keepLog: flags.keepLog === "default" ? "" : flags.keepLog }),
        ...(flags.keepDays !== undefined && { keepDays: numberOf(flags.keepDays, "--keep-days") }),
        author: authorOf(host),
      };
      const { repository } = await client.call("SetRepository", request, run.patience);
      const { minCopies, landWithFewer, keepLog, placement: devices = [] } = repository ?? {};
      const limitMs = toMs(repository?.updateLimit as never);
      const document = {
        ...{ name, min_copies: minCopies, land_with_fewer: landWithFewer },
        placement: devices.length === 0 ? "all" : devices,
        update_limit_s: limitMs === undefined ? null : limitMs / 1000,
        keep_log: keepLog || null,
      };
      const fewer = landWithFewer ? "or on fewer where they cannot be had" : "or is refused";
      run.print(
        document,
        `${name} is on ${devices.length === 0 ? "all devices" : devices.join(", ")}. ` +
          `Every write to it is on at least ${minCopies} of them before it lands, ${fewer}.` +
          (limitMs === undefined ? "" : ` One update of a replica may take ${limitMs / 1000} s.`) +
          (keepLog ? `\nIts log is kept for ${describeKeep(parseKeep("log", keepLog))}.` : ""),
      );
    });
}

type SetFlags = {
  readonly keepLog?: string;
  readonly minCopies?: string;
  readonly landWithFewer?: boolean;
  readonly devices?: string;
  readonly allDevices?: boolean;
  readonly updateLimit?: string;
  readonly keepDays?: string;
};

function placementOf({ devices, allDevices }: SetFlags): { all: boolean; devices: string[] } | undefined {
  if (devices === undefined) return allDevices ? { all: true, devices: [] } : undefined;
  if (allDevices || namesOf(devices).length === 0)
    throw new LockstepError("USAGE", "Give either --devices with the names of devices, or --all-devices.");
  return { all: false, devices: namesOf(devices) };
}

const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Returns the milliseconds of a time such as 30m. "default" is 0. Throws USAGE. */
function limitOf(text: string): number {
  if (text === "default") return 0;
  const [, count, unit] = /^(\d{1,7})([smhd])$/.exec(text) ?? [];
  if (count !== undefined) return Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS];
  throw new LockstepError(
    "USAGE",
    `--update-limit is a time such as 90s, 30m or 6h, or the word default, not ${JSON.stringify(text)}.`,
  );
}

function namesOf(list: string): string[] {
  return list.split(",").filter((name) => name !== "");
}

function numberOf(text = "", flag = "--min-copies"): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new LockstepError("USAGE", `${flag} is a number, not ${JSON.stringify(text)}.`);
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

function listCommand(host: Host): Command {
  return subcommand("list", "list the repositories by name", "lockstep repo list", "repo")
    .option("--removed", "list those that were removed instead, and until when each can be restored")
    .action(async (flags: { removed?: boolean }) => {
      const run = prepare(host, "repo", flags);
      using client = await run.connect();
      if (flags.removed) return await listRemovedRepositories(run, client);
      const found: { name: string; version: number }[] = [];
      for (let after = ""; ; ) {
        const request = { after, limit: 10_000 };
        const { repositories } = await client.call("ListRepositories", request, run.patience);
        for (const { name, headVersion } of repositories) found.push({ name, version: Number(headVersion) });
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
