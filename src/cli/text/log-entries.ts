// Entries of the ref log, as text and as --json prints them.
import { displayRef, nameFromBytes } from "../../domain.ts";
import type { LogEntry__Output as Entry } from "../../generated/lockstep/v1/LogEntry.ts";
import { visible } from "../../io/visible.ts";
import { instant, moment } from "./times.ts";

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
