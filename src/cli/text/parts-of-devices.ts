// The part that each device has in an act on a repository: a command of the queue.
import { ExitCode } from "../../errors.ts";
import type { Command__Output as QueuedCommand } from "../../generated/lockstep/v1/Command.ts";
import { Exit } from "../terminal/command.ts";

export interface DevicePart {
  readonly device: string;
  readonly state: string;
  readonly live: boolean;
  readonly error: string | null;
}

/** Returns what one device has done of its command, as --json prints it. */
export function partOfDevice(command: QueuedCommand): DevicePart {
  return {
    device: command.device,
    state: command.state.replace("COMMAND_STATE_", "").toLowerCase(),
    live: command.deviceLive,
    error: command.error || null,
  };
}

/** Says which device has not done its part. */
export function describeOpen({ device, state, live, error }: DevicePart): string[] {
  if (state === "done" || state === "superseded") return [];
  if (state === "failed") return [`${device} could not do its part: ${error}`];
  if (!live) return [`${device} is away and does its part when it is back.`];
  return [`${device} has not done its part yet${error === null ? "" : ` (${error})`}; it goes on trying.`];
}

/** Ends the program with an error if a live device has not done its part. */
export function exitUnlessDone(devices: readonly DevicePart[]): void {
  if (devices.some(({ state }) => state === "failed")) throw new Exit(ExitCode.FAILED);
  if (devices.some(({ state, live }) => live && (state === "queued" || state === "running")))
    throw new Exit(ExitCode.NOT_NOW);
}
