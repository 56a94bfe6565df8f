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
 * Returns how a command ends: it rests and is started again, or it failed for good. `limit`: after so many errors that
 * somebody has to mend the command fails. undefined: never. Waits for a device or for the database do not count.
 */
export function endOfError(
  { attempts, failures }: Pick<Command, "attempts" | "failures">,
  error: unknown,
  limit: number = Number.POSITIVE_INFINITY,
): CommandEnd {
  const told = describe(error);
  if (isTemporary(error)) return { state: "queued", error: told, delayMs: restMs(attempts - failures) };
  const failure = true;
  if (!isMended(error) || failures + 1 >= limit) return { state: "failed", error: told, failure };
  return { state: "queued", error: told, failure, delayMs: restMs(failures + 1) };
}

/** Returns the rest after the given number of errors of the same kind. */
function restMs(errors: number): number {
  const whole = Math.min(REST_LIMIT_MS, WAITS.commandRestMs * 2 ** Math.min(errors - 1, 20));
  return whole * (0.8 + 0.4 * Math.random());
}

function isTemporary(error: unknown): boolean {
  return error instanceof LockstepError && ERROR_TABLE[error.code].exit === "NOT_NOW";
}

/** Returns whether the same command succeeds once somebody has mended something. Unknown errors count as such. */
function isMended(error: unknown): boolean {
  return !(error instanceof LockstepError) || MENDED.includes(error.code);
}
