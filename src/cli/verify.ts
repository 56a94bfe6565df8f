import type { Command } from "commander";
import { ExitCode } from "../errors.ts";
import type { Host } from "../host.ts";
import { Exit, prepare, subcommand, table } from "./command.ts";
import { Progress } from "./progress.ts";

const PATIENCE_MS = 600_000;

export function verifyCommand(host: Host): Command {
  return subcommand("verify", "compare this device's refs with the log", "lockstep verify team/app")
    .argument("<name>")
    .action(async (name: string, flags) => {
      const run = prepare(host, "verify", flags);
      using client = run.connect();
      const options = { timeoutMs: PATIENCE_MS, signal: host.stop };
      using progress = new Progress(host.stderr, run.json);
      progress.wait("comparing every ref on disk with the log");
      const answer = await client.call("VerifyReplica", { repository: name }, options);
      progress.stop();
      const differences = answer.differences.map((each) => ({
        ref: each.name.toString("utf8"),
        on_disk: each.onDisk || null,
        in_log: each.inLog || null,
      }));
      const document = {
        repository: name,
        device: answer.device,
        version: Number(answer.version),
        refs: answer.refs,
        ok: differences.length === 0,
        differences,
      };
      if (document.ok) {
        run.print(
          document,
          `${name} on ${answer.device}: all ${answer.refs} refs are those of version ${answer.version}.`,
        );
        return;
      }
      const rows = differences.map((each) => [each.ref, each.on_disk ?? "(none)", each.in_log ?? "(none)"]);
      const what = `${differences.length + answer.more} refs of ${name} on ${answer.device} are not those of version ${answer.version}`;
      run.print(
        document,
        `${table(["ref", "on disk", "in the log"], rows)}\n\n${what}; restart the sidecar, which folds the log onto them.`,
      );
      throw new Exit(ExitCode.FAILED);
    });
}
