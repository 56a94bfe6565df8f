// How a command ends whose work threw an error.
import { describe, ERROR_TABLE, type ErrorCode, LockstepError } from "../errors.ts";
import type { Command, CommandEnd } from "../store/command/commands.ts";
import { WAITS } from "../waits.ts";

/** The rest after an error grows to this. */
const REST_LIMIT_MS = 300_000;

/**
 * Errors that end once a person has made room on a disk, given rights back or ended a process. Two of them also tell
 * that a directory or a name has moved meanwhile. Nobody should have to order the command again then: without it a copy
 * stays behind, lies at its old place, or is never freed.
 */
const MENDED: readonly ErrorCode[] = [
  "PREREQUISITE_MISSING",
  "REPLICA_IN_DOUBT",
  "REPLICA_NOT_FOUND",
  "REPOSITORY_NOT_FOUND",
  "GIT_FAILED",
  "INTERNAL",
];

/**
 * Returns how a command ends: it rests and is started again, or it failed for good. `limit`: after so many attempts an
 * error that somebody has to mend ends the command. undefined: never.
 */
export function endOfError({ attempts }: Command, error: unknown, limit: number | undefined): CommandEnd {
  const told = describe(error);
  if (!isTemporary(error) && !(isMended(error) && attempts < (limit ?? Number.POSITIVE_INFINITY)))
    return { state: "failed", error: told };
  const rest = Math.min(REST_LIMIT_MS, WAITS.commandRestMs * 2 ** Math.min(attempts - 1, 20));
  return { state: "queued", error: told, delayMs: rest * (0.8 + 0.4 * Math.random()) };
}

function isTemporary(error: unknown): boolean {
  return error instanceof LockstepError && ERROR_TABLE[error.code].exit === "NOT_NOW";
}

/** Returns whether the same command succeeds once somebody has mended something. Unknown errors count as such. */
function isMended(error: unknown): boolean {
  return !(error instanceof LockstepError) || MENDED.includes(error.code);
}
