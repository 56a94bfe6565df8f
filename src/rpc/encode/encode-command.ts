// Converts commands to messages of the protocol, and the names of their states back.
import { isUuid } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { toTimestamp } from "../../protocol/times.ts";
import type { Command, CommandState } from "../../store/command/commands.ts";

const STATES = {
  queued: "COMMAND_STATE_QUEUED",
  running: "COMMAND_STATE_RUNNING",
  done: "COMMAND_STATE_DONE",
  failed: "COMMAND_STATE_FAILED",
  superseded: "COMMAND_STATE_SUPERSEDED",
} as const satisfies Record<CommandState, string>;

/** Returns a command of the queue as the protocol has it. */
export function encodeCommand(command: Command) {
  return {
    id: command.id,
    ordinal: String(command.ordinal),
    repository: command.repository,
    device: command.device,
    command: command.command,
    state: STATES[command.state],
    author: command.author,
    reason: command.reason,
    attempts: command.attempts,
    error: command.lastError ?? "",
    outcome: command.outcome === null ? "" : JSON.stringify(command.outcome),
    createdAt: toTimestamp(command.createdAt),
    startedAt: toTimestamp(command.startedAt),
    endedAt: toTimestamp(command.endedAt),
    dueAt: toTimestamp(command.dueAt),
    deviceLive: command.live,
    deviceAwaySince: toTimestamp(command.awaySince),
  };
}

/** Returns the state that a name of the protocol means. Throws INVALID_REQUEST. */
export function decodeCommandState(name: string): CommandState {
  const found = (Object.keys(STATES) as CommandState[]).find((state) => STATES[state] === name);
  if (found) return found;
  throw new LockstepError("INVALID_REQUEST", `There is no state ${name} of a command.`);
}

/** Returns the id of a command. Throws INVALID_REQUEST if the text is none. */
export function commandId(text: string): string {
  if (isUuid(text)) return text;
  throw new LockstepError(
    "INVALID_REQUEST",
    `${JSON.stringify(text.slice(0, 70))} is not the id of a command; \`lockstep command list\` shows the ids.`,
  );
}
