import type { Command } from "commander";
import { ExitCode, LockstepError } from "../../errors.ts";
import type { AdoptedRepository__Output as Adopted } from "../../generated/lockstep/v1/AdoptedRepository.ts";
import type { RefusedRepository__Output as Refused } from "../../generated/lockstep/v1/RefusedRepository.ts";
import type { Host } from "../../host.ts";
import { authorOf, Exit, prepare, subcommand } from "../terminal/command.ts";
import { Progress } from "../terminal/progress.ts";

/** How many differing refs are shown to a person. `--json` has all of them. */
const SHOWN = 10;

interface AdoptFlags {
  readonly all?: boolean;
  readonly from?: string;
  readonly dryRun?: boolean;
}

/** Makes the command `lockstep repo adopt`. */
export function adoptCommand(host: Host): Command {
  return subcommand(
    "adopt",
    "take in bare repositories that lie below the root of this device, as they are",
    "lockstep repo adopt team/app",
    "repo",
  )
    .argument("[names...]", "such as team/app, which lies at ROOT/team/app.git")
    .option("--all", "every directory below the root that the database does not know")
    .option("--from <device>", "where the refs of devices differ, those of this device stay")
    .option("--dry-run", "change nothing, and say what would become of each")
    .action(async (names: string[], flags: AdoptFlags & Record<string, unknown>) => {
      const run = prepare(host, "repo", flags);
      if ((flags.all === true) === names.length > 0)
        throw new LockstepError("USAGE", "Name the repositories to adopt, or give --all.");
      using client = await run.connect();
      using progress = new Progress(host.stderr, run.json);
      progress.wait("looking at the directories");
      const adopted: Adopted[] = [];
      const refused: Refused[] = [];
      const request = {
        repositories: names,
        all: flags.all === true,
        from: flags.from ?? "",
        dryRun: flags.dryRun === true,
        author: authorOf(host),
      };
      for await (const event of client.stream("AdoptRepositories", request, host.stop)) {
        if (event.adopted) adopted.push(event.adopted);
        if (event.refused) refused.push(event.refused);
        progress.show(() => `adopted ${adopted.length}, refused ${refused.length}`);
      }
      progress.stop();
      run.print(documentOf(adopted, refused), textOf(adopted, refused, request.dryRun));
      if (refused.length > 0) throw new Exit(ExitCode.FAILED);
    });
}

function documentOf(adopted: readonly Adopted[], refused: readonly Refused[]) {
  return {
    adopted: adopted.map(({ version, ...each }) => ({ ...each, version: Number(version) })),
    refused: refused.map(({ differences, ...each }) => ({
      ...each,
      differences: differences.map(({ ref, values }) => ({
        ref,
        values: Object.fromEntries(values.map(({ device, value }) => [device, value || null])),
      })),
    })),
  };
}

function textOf(adopted: readonly Adopted[], refused: readonly Refused[], dryRun: boolean): string {
  const verb = dryRun ? "Would adopt" : "Adopted";
  const done = adopted.map(({ repository, version, devices, notes }) =>
    [
      `${verb} ${repository} at version ${version}, from the disks of ${devices.join(", ")}.`,
      ...notes.map(indented),
    ].join("\n"),
  );
  const not = refused.map(({ repository, reason, differences }) => {
    const listed = differences
      .slice(0, SHOWN)
      .map(
        ({ ref, values }) => `${ref}: ${values.map(({ device, value }) => `${device} ${value || "none"}`).join(", ")}`,
      );
    const more = differences.length > SHOWN ? [`and ${differences.length - SHOWN} more refs`] : [];
    return [`Refused ${repository}: ${reason}`, ...[...listed, ...more].map(indented)].join("\n");
  });
  const text = [...done, ...not].join("\n");
  return text === "" ? "There is no directory to adopt." : text;
}

function indented(line: string): string {
  return `  ${line}`;
}
