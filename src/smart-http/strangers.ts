// What people read who push and fetch, perhaps without a name: a short sentence. Roles, addresses, settings, paths and what other
// programs said are the operator's, who finds them in the log by the request id that stands beside the sentence.
import { ERROR_TABLE, type ErrorCode, retryAfterMs } from "../errors.ts";

/** Their sentences say nothing but what was asked for, where it is, who else writes, and what an operator wrote for those who wait. */
const OPEN: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "INVALID_REQUEST",
  "REPOSITORY_NOT_FOUND",
  "REPLICA_NOT_FOUND",
  "REPLICA_IN_DOUBT",
  "AHEAD_OF_DATABASE",
  "SHUTTING_DOWN",
  "FENCED",
  "CATCH_UP_TIMEOUT",
  "WRITE_DROPPED",
  "OUTCOME_UNKNOWN",
]);

/** What looks like a path in them is what strangers have named themselves, or what an operator or a colleague tells them. */
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
  GIT_FAILED: "git failed on this server; tell its operator.",
};

const FAILED = "The server failed; tell its operator.";

/** The sentence for a stranger. Errors without a code of the error table are bugs, and say so. */
export function toldToStrangers(error: unknown): string {
  const code = errorCode(error);
  if (code === undefined) return FAILED;
  const { message } = error as Error;
  if (QUOTING.has(code)) return message;
  if (OPEN.has(code)) return withoutPaths(message);
  if (code === "NO_SOURCE") return withoutAnswers(message) ?? NO_SOURCE;
  return SHORT[code] ?? (retryAfterMs(code) === undefined ? FAILED : "This server cannot do that now; try again.");
}

export function errorCode(error: unknown): ErrorCode | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  return Object.hasOwn(ERROR_TABLE, error.code) ? (error.code as ErrorCode) : undefined;
}

/** Which version it is, and which devices should have it, without what the devices that were asked have answered. */
function withoutAnswers(message: string): string | undefined {
  if (/^No other device that holds version \d+ of \S+ is live; /.test(message)) return withoutPaths(message);
  const [, what, rest] = /^(No device could send version \d+ of \S+) \(.*\)(; .*)$/s.exec(message) ?? [];
  return what && rest && withoutPaths(what + rest);
}

/** What git said of a ref, without the paths of this server. */
export function withoutPaths(text: string): string {
  return text.replace(/(['"])\/.*?\1/g, "$1…$1").replace(/(?<=^|[\s(=:])\/[^\s'"):;,]+/g, "…");
}
