import type { Command } from "commander";
import { displayRef, nameFromBytes } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import type { LogEntry__Output as Entry } from "../../generated/lockstep/v1/LogEntry.ts";
import type { Host } from "../../host.ts";
import { visible } from "../../io/visible.ts";
import { toMs } from "../../protocol/times.ts";
import { ago, span } from "../terminal/ago.ts";
import { prepare, subcommand } from "../terminal/command.ts";
import { limitOf, numberOf } from "../terminal/flag-values.ts";
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

/** Returns an entry of the log as --json prints it. */
export function documentOf({ version, writeId, device, author, landedAt, updates, more }: Entry) {
  return {
    version: Number(version),
    write_id: writeId,
    device,
    author,
    landed_at: instant(landedAt),
    updates: updates.map(({ name, oldValue, newValue }) => ({
      ref: displayRef(nameFromBytes(name)),
      old: oldValue || null,
      new: newValue || null,
    })),
    more,
  };
}

/** Returns entries of the log as text. */
export function describeEntries(entries: readonly Entry[]): string {
  if (entries.length === 0) return "Nothing has been written yet.";
  return entries
    .map((entry) => {
      const head = `version ${entry.version}  ${moment(entry.landedAt)}  ${visible(entry.author)} on ${entry.device}`;
      const lines = entry.updates.map(
        ({ name, oldValue, newValue }) =>
          `    ${visible(short(oldValue))} → ${visible(short(newValue))}  ${visible(displayRef(nameFromBytes(name)))}`,
      );
      if (entry.more > 0) lines.push(`    and ${entry.more} more`);
      return [head, ...lines].join("\n");
    })
    .join("\n");
}

function short(value: string): string {
  return value === "" ? "(none)    " : value.startsWith("ref: ") ? value : value.slice(0, 10);
}

/** Returns when something was, for people: "3 min ago". */
export function moment(timestamp: unknown): string {
  return ago(new Date(toMs(timestamp as never) ?? 0));
}

/** Returns for how long something has gone on, for people: "3 min". */
export function lasting(timestamp: unknown): string {
  return span(Date.now() - (toMs(timestamp as never) ?? 0));
}

/** Returns a timestamp of the protocol as ISO 8601 text. */
export function instant(timestamp: unknown): string {
  return new Date(toMs(timestamp as never) ?? 0).toISOString();
}
