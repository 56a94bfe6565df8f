// Sentences for people who push and fetch, perhaps anonymously. They are short. Roles, addresses, settings, paths and
// the output of other programs are for the operator. He finds them in the log by the request id beside the sentence.
import { ERROR_TABLE, type ErrorCode, retryAfterMs } from "../errors.ts";

/**
 * Errors whose sentences are safe. They name only the request, its place, other writers, and an operator's words for
 * waiting people.
 */
const OPEN: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "INVALID_REQUEST",
  "REPOSITORY_NOT_FOUND",
  "REPLICA_NOT_FOUND",
  "REPLICA_IN_DOUBT",
  "WRITES_ELSEWHERE",
  "BEING_ADOPTED",
  "AHEAD_OF_DATABASE",
  "SHUTTING_DOWN",
  "FENCED",
  "CATCH_UP_TIMEOUT",
  "WRITE_DROPPED",
  "OUTCOME_UNKNOWN",
]);

/** Errors whose sentences may quote paths: a stranger named them himself, or an operator or colleague tells them. */
const QUOTING: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["INVALID_NAME", "WRITES_STOPPED", "TURN_HELD"]);

const NO_SOURCE =
  "No device that has the newest version can be reached; try again, or tell the operator of this server.";

const SHORT: Partial<Record<ErrorCode, string>> = {
  DATABASE_UNAVAILABLE: "The database does not answer; try again.",
  SIDECAR_UNAVAILABLE: "The sidecar does not answer on this server; see whether `lockstep serve` runs.",
  SOURCE_FAILED: NO_SOURCE,
  QUEUE_FULL: "This server is busy; try again.",
  NOT_ENOUGH_COPIES: "Too few devices could take this push; nothing was written, try again.",
  PERMISSION_DENIED: "This server may not do that; tell its operator.",
  GIT_HUNG: "git hangs on this server; try again, or use another server.",
  GIT_FAILED: "git failed on this server; tell its operator.",
};

const FAILED = "The server failed; tell its operator.";

/**
 * Returns the sentence for a stranger. An error without a code of the error table is a bug, and gets a general
 * sentence.
 */
export function toldToStrangers(error: unknown): string {
  const code = errorCode(error);
  if (code === undefined) return FAILED;
  const { message } = error as Error;
  if (QUOTING.has(code)) return message;
  if (OPEN.has(code)) return withoutPaths(message);
  if (code === "NO_SOURCE") return withoutAnswers(message) ?? NO_SOURCE;
  return SHORT[code] ?? (retryAfterMs(code) === undefined ? FAILED : "This server cannot do that now; try again.");
}

/** Returns the code of an error if the error table has it. */
export function errorCode(error: unknown): ErrorCode | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  return Object.hasOwn(ERROR_TABLE, error.code) ? (error.code as ErrorCode) : undefined;
}

/**
 * Returns the sentence about a missing source without the answers of the asked devices. The version and the devices
 * that should have it stay.
 */
function withoutAnswers(message: string): string | undefined {
  if (/^No other device that holds version \d+ of \S+ is live; /.test(message)) return withoutPaths(message);
  const [, what, rest] = /^(No device could send version \d+ of \S+) \(.*\)(; .*)$/s.exec(message) ?? [];
  return what && rest && withoutPaths(what + rest);
}

/** Returns git's words about a ref without the paths of this server. */
export function withoutPaths(text: string): string {
  return text.replace(/(['"])\/.*?\1/g, "$1…$1").replace(/(?<=^|[\s(=:])\/[^\s'"):;,]+/g, "…");
}
