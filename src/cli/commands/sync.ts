import type { Command } from "commander";
import { LockstepError } from "../../errors.ts";
import type { FetchProgress__Output } from "../../generated/lockstep/v1/FetchProgress.ts";
import type { FetchResult__Output as Result } from "../../generated/lockstep/v1/FetchResult.ts";
import type { Host } from "../../host.ts";
import { toMs } from "../../protocol/times.ts";
import { duration, prepare, subcommand } from "../terminal/command.ts";
import { bar, Progress, size } from "../terminal/progress.ts";

/** Makes the command `lockstep sync`. */
export function syncCommand(host: Host): Command {
  return subcommand(
    "sync",
    "bring this device's replica of a repository to the head",
    "lockstep sync team/app --from repo002",
  )
    .argument("<name>")
    .option("--from <device>", "ask this device first", "")
    .action(async (name: string, flags: Record<string, string>) => {
      const run = prepare(host, "sync", flags);
      using client = await run.connect();
      using progress = new Progress(host.stderr, run.json);
      progress.wait("asking the sidecar");
      let result: Result | null | undefined;
      const request = { repository: name, device: flags.from ?? "" };
      for await (const event of client.stream("FetchFrom", request, host.stop)) {
        result = event.result ?? result;
        const seen = event.progress;
        if (seen) progress.show(() => describeProgress(seen));
      }
      progress.stop();
      if (!result) throw new LockstepError("INTERNAL", "The sidecar ended the stream without a result; see its log.");
      const ms = toMs(result.duration as never) ?? 0;
      const document = {
        repository: name,
        from: result.fromDevice,
        from_version: Number(result.fromVersion),
        version: Number(result.version),
        bytes: Number(result.bytes),
        refs_changed: result.refsChanged,
        duration_ms: ms,
        already_current: result.alreadyCurrent,
      };
      const text = result.alreadyCurrent
        ? `${name} is current at version ${result.version}.`
        : `${name} went from version ${result.fromVersion} to ${result.version} in ${duration(ms)} (${size(Number(result.bytes))} from ${result.fromDevice}).`;
      run.print(document, text);
    });
}

function describeProgress({ phase, objects, totalObjects, bytes }: FetchProgress__Output): string {
  const counted = `${bar(Number(objects), Number(totalObjects))} ${objects}/${totalObjects} objects`;
  return `${phase}: ${counted}, ${size(Number(bytes))}`;
}
