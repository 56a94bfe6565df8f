// `lockstep repo undo`: appends the opposite of a version, such as a force push or a deletion.
import type { Command } from "commander";
import { displayRef, nameFromBytes } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import type { UndoVersionResponse__Output as Undo } from "../../generated/lockstep/v1/UndoVersionResponse.ts";
import type { Host } from "../../host.ts";
import { visible } from "../../io/visible.ts";
import { authorOf, prepare, subcommand } from "../terminal/command.ts";
import { askForYes } from "../terminal/confirm.ts";
import { showWhile } from "../terminal/progress.ts";
import { table } from "../terminal/styled.ts";
import { describeCommits, documentOfCommits, shortValue } from "../text/thaw-plan.ts";
import { moment } from "../text/times.ts";

/** Making the plan may fetch objects from other devices. */
const PATIENCE_MS = 600_000;

/** Makes the command `lockstep repo undo`. */
export function undoCommand(host: Host): Command {
  return subcommand(
    "undo",
    "append the opposite of a version: each ref that it changed gets its earlier value again",
    "lockstep repo undo team/app --version 7",
    "repo",
  )
    .argument("<name>")
    .requiredOption("--version <number>", "the version to undo; `lockstep log NAME` lists them")
    .option("--reason <text>", "why, for the audit", "")
    .option("--yes", "do it without a question")
    .action(async (name: string, flags: { version: string; reason: string; yes?: boolean }) => {
      const run = prepare(host, "repo", flags);
      if (!/^[1-9]\d{0,17}$/.test(flags.version))
        throw new LockstepError("USAGE", `--version is a number from 1 on, not ${JSON.stringify(flags.version)}.`);
      using client = await run.connect();
      const wish = { repository: name, version: flags.version, author: authorOf(host), reason: flags.reason };
      const patience = { timeoutMs: PATIENCE_MS, signal: host.stop };
      const planned = client.call("UndoVersion", wish, patience);
      const plan = await showWhile(run, `looking at version ${flags.version}`, planned);
      if (flags.yes !== true) {
        run.print(documentOf(name, plan), describe(name, plan));
        await askForYes(run);
      }
      const undone = client.call("UndoVersion", { ...wish, confirmation: plan.confirmation }, patience);
      const done = await showWhile(run, `undoing version ${flags.version}`, undone);
      const outcome = `Done: ${name} is at version ${done.version}.`;
      run.print(documentOf(name, done), flags.yes === true ? `${describe(name, done)}\n\n${outcome}` : outcome);
    });
}

function documentOf(name: string, undo: Undo) {
  return {
    name,
    done: undo.done,
    undoes: Number(undo.undone?.version),
    version: Number(undo.version),
    updates: undo.updates.map((each) => ({
      ref: displayRef(nameFromBytes(each.name)),
      old: each.oldValue || null,
      new: each.newValue || null,
    })),
    more: undo.moreUpdates,
    lost: documentOfCommits(undo.lost),
    gained: documentOfCommits(undo.gained),
  };
}

function describe(name: string, { undone, version, updates, moreUpdates, lost, gained }: Undo): string {
  const by = `${visible(undone?.author ?? "")} on ${undone?.device}, ${moment(undone?.landedAt)}`;
  const rows = updates.map((each) => [
    displayRef(nameFromBytes(each.name)),
    shortValue(each.oldValue),
    shortValue(each.newValue),
  ]);
  const more = moreUpdates > 0 ? `\nand ${moreUpdates} more` : "";
  return [
    `${name}: version ${version} is the opposite of version ${undone?.version} (${by}).`,
    `${table(["ref", "from", "to"], rows)}${more}`,
    ...describeCommits("Commits that these refs hold no more:", lost),
    ...describeCommits("Commits that these refs hold again:", gained),
  ].join("\n\n");
}
