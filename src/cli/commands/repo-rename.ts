// `lockstep repo rename`: gives a repository another name on all devices.
import type { Command } from "commander";
import { ExitCode } from "../../errors.ts";
import type { Command__Output as QueuedCommand } from "../../generated/lockstep/v1/Command.ts";
import type { Host } from "../../host.ts";
import { authorOf, Exit, prepare, subcommand } from "../terminal/command.ts";

/** Longer than the sidecar waits for live devices. */
const PATIENCE_MS = 120_000;

export function renameCommand(host: Host): Command {
  return subcommand(
    "rename",
    "give a repository another name; the old name is free at once",
    "lockstep repo rename team/app team/shop",
    "repo",
  )
    .argument("<name>")
    .argument("<new>", "the new name")
    .option("--reason <text>", "why, for the audit", "")
    .action(async (name: string, newName: string, flags: { reason: string }) => {
      const run = prepare(host, "repo", flags);
      using client = await run.connect();
      const request = { repository: name, newName, author: authorOf(host), reason: flags.reason };
      const { commands } = await client.call("RenameRepository", request, {
        timeoutMs: PATIENCE_MS,
        signal: host.stop,
      });
      const devices = commands.map(documentOfDevice);
      const document = { repository: newName, renamed_from: name, devices };
      run.print(document, [`${name} is called ${newName} now.`, ...devices.flatMap(describeOpen)].join("\n"));
      exitUnlessDone(devices);
    });
}

interface DeviceDocument {
  readonly device: string;
  readonly state: string;
  readonly live: boolean;
  readonly error: string | null;
}

/** Returns what one device has done of its command, as --json prints it. */
function documentOfDevice(command: QueuedCommand): DeviceDocument {
  return {
    device: command.device,
    state: command.state.replace("COMMAND_STATE_", "").toLowerCase(),
    live: command.deviceLive,
    error: command.error || null,
  };
}

/** Says which device has not done its part. */
function describeOpen({ device, state, live, error }: DeviceDocument): string[] {
  if (state === "done" || state === "superseded") return [];
  if (state === "failed") return [`${device} could not do its part: ${error}`];
  if (!live) return [`${device} is away and does its part when it is back.`];
  return [`${device} has not done its part yet${error === null ? "" : ` (${error})`}; it goes on trying.`];
}

/** Ends the program with an error if a live device has not done its part. */
function exitUnlessDone(devices: readonly DeviceDocument[]): void {
  if (devices.some(({ state }) => state === "failed")) throw new Exit(ExitCode.FAILED);
  if (devices.some(({ state, live }) => live && (state === "queued" || state === "running")))
    throw new Exit(ExitCode.NOT_NOW);
}
