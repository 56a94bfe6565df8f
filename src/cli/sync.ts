import type { Command } from "commander";
import { LockstepError } from "../errors.ts";
import type { FetchResult__Output as Result } from "../generated/lockstep/v1/FetchResult.ts";
import type { Host } from "../host.ts";
import { toMs } from "../proto.ts";
import { duration, prepare, subcommand } from "./command.ts";

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
      using client = run.connect();
      const showProgress = !run.json && host.stderr.isTTY;
      let result: Result | null | undefined;
      const request = { repository: name, device: flags.from ?? "" };
      for await (const event of client.stream("FetchFrom", request, host.stop)) {
        result = event.result ?? result;
        if (event.progress && showProgress) {
          const { phase, objects, totalObjects, bytes } = event.progress;
          host.stderr.write(
            `\r\x1b[K${phase}: ${objects}/${totalObjects} objects, ${(Number(bytes) / 1e6).toFixed(1)} MB`,
          );
        }
      }
      if (showProgress) host.stderr.write("\r\x1b[K");
      if (!result) throw new LockstepError("INTERNAL", "The sidecar ended the stream without a result.");
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
        : `${name} went from version ${result.fromVersion} to ${result.version} in ${duration(ms)} (${result.bytes} bytes from ${result.fromDevice}).`;
      run.print(document, text);
    });
}
