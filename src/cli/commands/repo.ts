// `lockstep repo`: the repositories of the cluster.
import { Command } from "commander";
import type { Host } from "../../host.ts";
import { prepare, subcommand } from "../terminal/command.ts";
import { table } from "../terminal/styled.ts";
import { adoptCommand } from "./repo-adopt.ts";
import { createCommand } from "./repo-create.ts";
import { listRemovedRepositories, removeCommand } from "./repo-remove.ts";
import { renameCommand } from "./repo-rename.ts";
import { restoreCommand } from "./repo-restore.ts";
import { setCommand } from "./repo-set.ts";
import { showCommand } from "./repo-show.ts";
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
