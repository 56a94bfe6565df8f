// `lockstep retention`: what Lockstep keeps for a time, for how long, and how much space it takes.
import { Command } from "commander";
import type { KeptSpace__Output as Kept } from "../../generated/lockstep/v1/KeptSpace.ts";
import type { RetentionRule__Output as Rule } from "../../generated/lockstep/v1/RetentionRule.ts";
import type { Host } from "../../host.ts";
import { connectToChange } from "../parts/owner-client.ts";
import { authorOf, prepare, subcommand } from "../terminal/command.ts";
import { size } from "../terminal/progress.ts";
import { table } from "../terminal/styled.ts";

/** Makes the command `lockstep retention`. */
export function retentionCommand(host: Host): Command {
  return new Command("retention")
    .description("show or set for how long old versions, writes, kept refs and other things stay")
    .addHelpText("after", "\nExample:\n  lockstep retention set log 10000,90d\n")
    .addCommand(listCommand(host))
    .addCommand(setCommand(host));
}

function listCommand(host: Host): Command {
  return subcommand(
    "list",
    "list what is kept, for how long, and how much space it takes",
    "lockstep retention list",
    "retention",
  ).action(async (flags) => {
    const run = prepare(host, "retention", flags);
    await using client = await connectToChange(run);
    const { rules, kept } = await client.call("GetRetention", {}, run.patience);
    const space = describeKept(kept);
    const text = [describeRules(rules), space].filter(Boolean).join("\n\n");
    run.print({ rules: rules.map(documentOfRule), kept: kept.map(documentOfKept) }, text);
  });
}

function setCommand(host: Host): Command {
  return subcommand(
    "set",
    "set for how long a subject is kept in the whole cluster",
    "lockstep retention set log 10000,90d",
    "retention",
  )
    .argument("<subject>", "such as log; `lockstep retention list` lists them")
    .argument("<time>", "90d; for the log also 10000 (versions) or 10000,90d (while either keeps it); or default")
    .action(async (subject: string, time: string, flags) => {
      const run = prepare(host, "retention", flags);
      await using client = await connectToChange(run);
      const wish = { subject, keep: time === "default" ? "" : time, author: authorOf(host) };
      const { rules } = await client.call("SetRetention", wish, run.patience);
      const rule = rules.find((each) => each.subject === subject) as Rule;
      run.print(documentOfRule(rule), describeRules([rule]));
    });
}

function documentOfRule({ subject, what, rule, keep, defaultKeep, onDisk }: Rule) {
  return { subject, what, rule, keep: keep || null, default: defaultKeep || null, on_disk: onDisk };
}

function describeRules(rules: readonly Rule[]): string {
  return table(
    ["subject", "what", "is kept"],
    rules.map(({ subject, what, rule }) => [subject, what, rule]),
  );
}

/** Returns space that is taken as --json prints it. */
export function documentOfKept({ subject, device, items, bytes }: Kept) {
  return { subject, device: device || null, items: Number(items), bytes: Number(bytes) };
}

/** A table of the database that is smaller needs no line. */
const SMALL = 1_000_000;

/** Returns what takes space as text. Empty: nothing that matters. */
export function describeKept(kept: readonly Kept[]): string {
  const large = kept.filter(({ device, bytes }) => device !== "" || Number(bytes) >= SMALL);
  if (large.length === 0) return "";
  return table(
    ["kept", "where", "items", "size"],
    large.map(({ subject, device, items, bytes }) => [
      subject,
      device || "database",
      items,
      bytes === "0" ? "" : size(Number(bytes)),
    ]),
  );
}
