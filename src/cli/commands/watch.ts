import { type Command, Option } from "commander";
import { describe, LockstepError } from "../../errors.ts";
import type { Host } from "../../host.ts";
import { prepare, subcommand } from "../terminal/command.ts";
import { describeEntries, documentOf } from "../text/log-entries.ts";

/** When an event is told, as options and --json have it. */
export const VISIBLE = { landed: "VISIBLE_LANDED", everywhere: "VISIBLE_EVERYWHERE" } as const;

/** Makes the command `lockstep watch`. */
export function watchCommand(host: Host): Command {
  return subcommand(
    "watch",
    "show what lands in the cluster, as it lands; with --json one document a line",
    "lockstep watch 'team/*' --visible everywhere --json",
  )
    .argument("[names...]", "repositories, or globs with * and ?; none: all")
    .option("--from <cursor>", "cursor of an earlier event, `now`, or `beginning`: what the log still has", "now")
    .addOption(
      new Option("--visible <when>", "tell a version when it has landed, or when every live device holds it")
        .choices(Object.keys(VISIBLE))
        .default("landed"),
    )
    .action(async (names: string[], flags: { from: string; visible: keyof typeof VISIBLE }) => {
      const run = prepare(host, "watch", flags);
      using client = await run.connect();
      let last = flags.from;
      try {
        const request = { cursor: flags.from, repositories: names, visible: VISIBLE[flags.visible] };
        for await (const { cursor, repository, entry } of client.stream("Watch", request, host.stop)) {
          last = cursor;
          if (entry)
            run.print({ cursor, repository, ...documentOf(entry) }, `${repository} ${describeEntries([entry])}`);
        }
      } catch (error) {
        // Ctrl-C.
        if (host.stop.aborted) return;
        throw endedEarly(error, last);
      }
    });
}

/** Returns the error of a stream that ended, with the cursor to go on from. */
function endedEarly(error: unknown, cursor: string): unknown {
  if (!(error instanceof LockstepError) || !/^\d/.test(cursor)) return error;
  return new LockstepError(
    error.code,
    `${describe(error).replace(/\.$/, "")}; \`lockstep watch --from ${cursor}\` goes on after what was shown.`,
    { cause: error, details: { ...error.details, cursor } },
  );
}
