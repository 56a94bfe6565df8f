// The part that each device has in an act on a repository: a command of the queue.
import { ExitCode } from "../../errors.ts";
import type { Command__Output as QueuedCommand } from "../../generated/lockstep/v1/Command.ts";
import { ahead } from "../terminal/ago.ts";
import { Exit } from "../terminal/command.ts";
import { instant } from "./times.ts";

export interface DevicePart {
  readonly device: string;
  readonly state: string;
  readonly live: boolean;
  readonly error: string | null;
  /** The id of the command. */
  readonly command: string;
  /** When the device tries again. null: it has ended. */
  readonly due_at: string | null;
}

/** Returns true if a command waits for its next attempt after an error. */
export function isResting({ state, error }: QueuedCommand): boolean {
  return state === "COMMAND_STATE_QUEUED" && error !== "";
}

/** Returns what one device has done of its command, as --json prints it. */
export function partOfDevice(command: QueuedCommand): DevicePart {
  return {
    device: command.device,
    state: command.state.replace("COMMAND_STATE_", "").toLowerCase(),
    live: command.deviceLive,
    error: command.error || null,
    command: command.id,
    due_at: command.endedAt === null && command.dueAt ? instant(command.dueAt) : null,
  };
}

/** Says which device has not done its part, and what becomes of it. */
export function describeOpen({ device, state, live, error, command, due_at }: DevicePart): string[] {
  if (state === "done" || state === "superseded") return [];
  if (state === "failed") return [`${device} could not do its part: ${error}`];
  if (!live) return [`${device} is away and does its part when it is back.`];
  const next = state === "queued" && due_at !== null ? `It tries again ${ahead(new Date(due_at))}` : "It is at it";
  return [
    `${device} has not done its part yet${error === null ? "." : `: ${error}`}`,
    `  ${next} and goes on by itself. \`lockstep command show ${command}\` tells how it is.`,
  ];
}

/** Ends the program with an error if a live device has not done its part. */
export function exitUnlessDone(devices: readonly DevicePart[]): void {
  if (devices.some(({ state }) => state === "failed")) throw new Exit(ExitCode.FAILED);
  if (devices.some(({ state, live }) => live && (state === "queued" || state === "running")))
    throw new Exit(ExitCode.NOT_NOW);
}
