import type { Command } from "commander";
import { LockstepError } from "../../errors.ts";
import type { Host } from "../../host.ts";
import { prepare, subcommand } from "../terminal/command.ts";
import { limitOf, numberOf } from "../terminal/flag-values.ts";
import { describeEntries, documentOf } from "../text/log-entries.ts";
import { type EventFlags, logOf, printEvents } from "./log-events.ts";

/** Makes the command `lockstep log`. */
export function logCommand(host: Host): Command {
  return subcommand(
    "log",
    "show the ref log of a repository, or who pushed and read, and how devices caught up; newest first",
    "lockstep log --pushes team/app --since 24h --result refused",
  )
    .argument("[name]", "the repository; only --pushes, --pulls and --syncs go without")
    .option("--pushes", "pushes and write sessions: who, from where, the outcome, what they waited for")
    .option("--pulls", "reads: who, from where, what they waited for; a sample where there are many")
    .option("--syncs", "catch-ups of replicas, with git's words where one failed")
    .option("--device <name>", "only what that device did")
    .option("--since <time>", "from then on: 90m, 24h, 7d ago, or a time such as 2027-01-31T12:00Z")
    .option("--until <time>", "only before that time")
    .option("--author <name>", "only pushes or reads of that user")
    .option("--result <result>", "landed, unchanged, refused, unknown; current, caught_up, stale, refused; ok, failed")
    .option("--ref <ref>", "only pushes of that ref: a branch, a tag, or a full name")
    .option("--limit <n>", "entries to show, up to 1000", "20")
    .option("--before <version>", "of the ref log: only versions below this one", "0")
    .action(async (name: string | undefined, flags: EventFlags & Record<string, string>) => {
      const run = prepare(host, "log", flags);
      const log = logOf(flags);
      if (log !== undefined) return await printEvents(run, log, name, flags);
      if (name === undefined)
        throw new LockstepError("USAGE", "Name a repository, or give --pushes, --pulls or --syncs.");
      const request = {
        repository: name,
        limit: limitOf(flags.limit, "read further entries with --before"),
        before: String(numberOf("--before", flags.before)),
      };
      using client = await run.connect();
      const { entries, logBase } = await client.call("ListLog", request, run.patience);
      const base = logBase === "0" ? "" : `\nThe versions up to ${logBase} have been trimmed from the log.`;
      const text = describeEntries(entries) + (entries.length < request.limit ? base : "");
      run.print({ repository: name, log: entries.map(documentOf), log_base: Number(logBase) }, text);
    });
}
