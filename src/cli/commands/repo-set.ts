// `lockstep repo set`: changes the settings of a repository.
import type { Command } from "commander";
import { LockstepError } from "../../errors.ts";
import type { Host } from "../../host.ts";
import { toDuration, toMs } from "../../protocol/times.ts";
import { describeKeep, parseKeep } from "../../store/retention/subjects.ts";
import { authorOf, prepare, subcommand } from "../terminal/command.ts";
import { namesOf, numberOf, spanMs } from "../terminal/flag-values.ts";

/** Makes the command `lockstep repo set`. */
export function setCommand(host: Host): Command {
  return subcommand("set", "change the settings of a repository", "lockstep repo set team/app --min-copies 2", "repo")
    .argument("<name>")
    .option("--min-copies <number>", "on how many devices the objects of a write must be before it lands")
    .option(
      "--land-with-fewer",
      "if too few devices take the objects in time, land the write all the same and tell the pusher",
    )
    .option("--no-land-with-fewer", "if too few devices take the objects in time, refuse the write")
    .option(
      "--serial",
      "a write lands only on the version that its device holds, for hooks that look at refs which are not pushed",
    )
    .option("--no-serial", "writes disturb each other only where they change the same refs (default)")
    .option(
      "--devices <names>",
      "only these devices hold it; the others give their copies up once these have everything",
    )
    .option("--keep-days <days>", "with --devices: how long the others keep the files of their copies (default: 14)")
    .option("--all-devices", "all devices hold it, also those that join later")
    .option(
      "--update-limit <time>",
      "for how long one update of a replica may run, such as 90s, 30m or 6h; default: 15m, and 4h for a first copy",
    )
    .option(
      "--keep-log <time>",
      "how much of its log is kept: 10000 (versions), 90d, or 10000,90d (while either keeps it); default: as in the cluster",
    )
    .action(async (name: string, flags: SetFlags) => {
      const run = prepare(host, "repo", flags);
      const placement = placementOf(flags);
      const given = [flags.minCopies, flags.landWithFewer, flags.serial, flags.updateLimit, flags.keepLog, placement];
      if (given.every((each) => each === undefined))
        throw new LockstepError(
          "USAGE",
          "No setting is given; `lockstep repo set --help` lists the settings that can be changed.",
        );
      using client = await run.connect();
      const request = {
        repository: name,
        ...(flags.minCopies !== undefined && { minCopies: numberOf("--min-copies", flags.minCopies, 999_999) }),
        ...(flags.landWithFewer !== undefined && { landWithFewer: flags.landWithFewer }),
        ...(flags.serial !== undefined && { serial: flags.serial }),
        ...(placement && { placement }),
        ...(flags.updateLimit !== undefined && { updateLimit: toDuration(updateLimitOf(flags.updateLimit)) }),
        ...(flags.keepLog !== undefined && { keepLog: flags.keepLog === "default" ? "" : flags.keepLog }),
        ...(flags.keepDays !== undefined && { keepDays: numberOf("--keep-days", flags.keepDays, 999_999) }),
        author: authorOf(host),
      };
      const { repository } = await client.call("SetRepository", request, run.patience);
      const { minCopies, landWithFewer, serial, keepLog, placement: devices = [] } = repository ?? {};
      const limitMs = toMs(repository?.updateLimit as never);
      const document = {
        ...{ name, min_copies: minCopies, land_with_fewer: landWithFewer, serial },
        placement: devices.length === 0 ? "all" : devices,
        update_limit_s: limitMs === undefined ? null : limitMs / 1000,
        keep_log: keepLog || null,
      };
      const fewer = landWithFewer ? "or on fewer where they cannot be had" : "or is refused";
      run.print(
        document,
        `${name} is on ${devices.length === 0 ? "all devices" : devices.join(", ")}. ` +
          `Every write to it is on at least ${minCopies} of them before it lands, ${fewer}.` +
          (serial ? " A write lands only on the version that its device holds." : "") +
          (limitMs === undefined ? "" : ` One update of a replica may take ${limitMs / 1000} s.`) +
          (keepLog ? `\nIts log is kept for ${describeKeep(parseKeep("log", keepLog))}.` : ""),
      );
    });
}

type SetFlags = {
  readonly keepLog?: string;
  readonly minCopies?: string;
  readonly landWithFewer?: boolean;
  readonly serial?: boolean;
  readonly devices?: string;
  readonly allDevices?: boolean;
  readonly updateLimit?: string;
  readonly keepDays?: string;
};

function placementOf({ devices, allDevices }: SetFlags): { all: boolean; devices: string[] } | undefined {
  if (devices === undefined) return allDevices ? { all: true, devices: [] } : undefined;
  if (allDevices || namesOf(devices).length === 0)
    throw new LockstepError("USAGE", "Give either --devices with the names of devices, or --all-devices.");
  return { all: false, devices: namesOf(devices) };
}

/** Returns the milliseconds of --update-limit. "default" is 0. Throws USAGE. */
function updateLimitOf(text: string): number {
  const limitMs = text === "default" ? 0 : spanMs(text);
  if (limitMs !== undefined) return limitMs;
  throw new LockstepError(
    "USAGE",
    `--update-limit is a time such as 90s, 30m or 6h, or the word default, not ${JSON.stringify(text)}.`,
  );
}
