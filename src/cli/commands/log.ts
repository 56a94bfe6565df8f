import type { Command } from "commander";
import { displayRef, nameFromBytes } from "../../domain.ts";
import type { LogEntry__Output as Entry } from "../../generated/lockstep/v1/LogEntry.ts";
import type { Host } from "../../host.ts";
import { visible } from "../../io/visible.ts";
import { toMs } from "../../protocol/times.ts";
import { prepare, subcommand } from "../terminal/command.ts";
import { limitOf, numberOf } from "../terminal/flag-values.ts";

/** Makes the command `lockstep log`. */
export function logCommand(host: Host): Command {
  return subcommand("log", "show the ref log of a repository, newest first", "lockstep log team/app --limit 50")
    .argument("<name>")
    .option("--limit <n>", "entries to show, up to 1000", "20")
    .option("--before <version>", "only versions below this one", "0")
    .action(async (name: string, flags: Record<string, string>) => {
      const run = prepare(host, "log", flags);
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
      const head = `version ${entry.version}  ${instant(entry.landedAt)}  ${visible(entry.author)} on ${entry.device}`;
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

/** Returns a timestamp of the protocol as ISO 8601 text. */
export function instant(timestamp: unknown): string {
  return new Date(toMs(timestamp as never) ?? 0).toISOString();
}
