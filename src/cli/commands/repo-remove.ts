// `lockstep repo remove`: takes a repository out of service. Its files are kept for some days.
import type { Command } from "commander";
import type { Client } from "../../client/client.ts";
import type { GetRepositoryResponse__Output as Details } from "../../generated/lockstep/v1/GetRepositoryResponse.ts";
import type { RemovedRepository__Output as Removed } from "../../generated/lockstep/v1/RemovedRepository.ts";
import type { Host } from "../../host.ts";
import { toMs } from "../../protocol/times.ts";
import { untilDone } from "../parts/until-done.ts";
import { authorOf, prepare, type Run, subcommand } from "../terminal/command.ts";
import { askForYes } from "../terminal/confirm.ts";
import { numberOf } from "../terminal/flag-values.ts";
import { showWhile } from "../terminal/progress.ts";
import { table } from "../terminal/styled.ts";
import { describeOpen, exitUnlessDone } from "../text/parts-of-devices.ts";
import { instant } from "../text/times.ts";

/** An older sidecar waits for the devices itself. */
const PATIENCE_MS = 120_000;

type RemoveFlags = {
  readonly keepDays: string;
  readonly reason: string;
  readonly yes?: boolean;
};

/** Makes the command `lockstep repo remove`. */
export function removeCommand(host: Host): Command {
  return subcommand(
    "remove",
    "take a repository out of service on all devices; it can be restored for some days",
    "lockstep repo remove team/app",
    "repo",
  )
    .argument("<name>")
    .option("--keep-days <days>", "for how long its files and its log are kept", "14")
    .option("--reason <text>", "why, for the audit", "")
    .option("--yes", "do it without a question")
    .action(async (name: string, flags: RemoveFlags) => {
      const run = prepare(host, "repo", flags);
      const keepDays = numberOf("--keep-days", flags.keepDays, 99_999);
      using client = await run.connect();
      const details = await client.call("GetRepository", { repository: name }, run.patience);
      if (flags.yes !== true) {
        run.print(documentOfPlan(name, details, flags), describePlan(name, details, flags));
        await askForYes(run);
      }
      const request = {
        repository: name,
        // Another repository may get the name meanwhile. It is not removed.
        repositoryId: details.repository?.id ?? "",
        keepDays,
        author: authorOf(host),
        reason: flags.reason,
        atOnce: true,
      };
      const asked = client.call("RemoveRepository", request, { timeoutMs: PATIENCE_MS, signal: host.stop });
      const done = await showWhile(run, `removing ${name}`, asked);
      const devices = await untilDone(run, client, done.commands);
      const document = {
        repository: name,
        removed: true,
        id: done.repositoryId,
        version: Number(details.repository?.headVersion),
        keep_until: instantOf(done.keepUntil),
        devices,
      };
      const outcome =
        Number(flags.keepDays) === 0
          ? `Removed ${name}. Its files are being freed.`
          : `Removed ${name}. \`lockstep repo restore ${name}\` brings it back until ${instant(done.keepUntil)}.`;
      run.print(document, [outcome, ...devices.flatMap(describeOpen)].join("\n"));
      exitUnlessDone(devices);
    });
}

function documentOfPlan(name: string, { repository, replicas, writer }: Details, { keepDays }: RemoveFlags) {
  return {
    repository: name,
    removed: false,
    id: repository?.id,
    version: Number(repository?.headVersion),
    keep_days: Number(keepDays),
    writer: writer?.author ?? null,
    devices: replicas.map(({ device, version, live }) => ({ device, version: Number(version), live })),
  };
}

function describePlan(name: string, { repository, replicas, writer }: Details, { keepDays }: RemoveFlags): string {
  const rows = replicas.map(({ device, version, live }) => [device, String(version), live ? "live" : "away"]);
  return [
    `${name} at version ${repository?.headVersion} would be taken out of service on:`,
    table(["device", "version", ""], rows),
    ...(writer ? [`${writer.author} is writing to it, and would lose that write.`] : []),
    Number(keepDays) === 0
      ? "It could not be restored: --keep-days is 0."
      : `It could be restored for ${keepDays} days. Its name would be free at once.`,
  ].join("\n");
}

function instantOf(time: Removed["keepUntil"]): string | null {
  const ms = toMs(time as never);
  return ms === undefined ? null : new Date(ms).toISOString();
}

const LIMIT = 10_000;

/** Prints the removed repositories: `lockstep repo list --removed`. */
export async function listRemovedRepositories(run: Run, client: Client): Promise<void> {
  const { repositories } = await client.call("ListRemovedRepositories", { limit: LIMIT }, run.patience);
  const documents = repositories.map(({ id, name, headVersion, removedAt, keepUntil, restorable, waitsFor }) => ({
    name,
    id,
    version: Number(headVersion),
    removed_at: instantOf(removedAt),
    keep_until: instantOf(keepUntil),
    restorable,
    waits_for: waitsFor,
  }));
  const rows = repositories.map(({ id, name, headVersion, removedAt, keepUntil, restorable, waitsFor }) => [
    name,
    String(headVersion),
    instant(removedAt),
    restorable ? instant(keepUntil) : "over",
    waitsFor.join(", ") || "-",
    id,
  ]);
  const text = table(["repository", "version", "removed at", "restorable until", "waits for", "id"], rows);
  run.print(
    { repositories: documents },
    rows.length === 0
      ? "No repository was removed, or all that were are gone."
      : `${text}\n\n\`lockstep repo restore NAME [--id ID] [--as NEW]\` brings one back.`,
  );
}
