// The closed table of everything that can go wrong. A code decides the gRPC status, the exit code of the command line,
// and whether the same call may be tried again. docs/operations.md has a heading for each code.

/** The gRPC status numbers that the table uses (https://grpc.io/docs/guides/status-codes). */
export const GrpcStatus = {
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

/** Exit codes of the command line: 0 ok, 1 failed, 2 wrong usage, 3 not possible now (retry later). */
export const ExitCode = { OK: 0, FAILED: 1, USAGE: 2, NOT_NOW: 3 } as const;

type Row = { grpc: keyof typeof GrpcStatus; exit: keyof typeof ExitCode; retryAfterMs?: number };

/** code → gRPC status → exit code → after how many milliseconds to retry the same call (absent: do not retry). */
export const ERROR_TABLE = {
  INVALID_NAME: { grpc: "INVALID_ARGUMENT", exit: "USAGE" },
  INVALID_REQUEST: { grpc: "INVALID_ARGUMENT", exit: "USAGE" },
  USAGE: { grpc: "INVALID_ARGUMENT", exit: "USAGE" },
  REPOSITORY_NOT_FOUND: { grpc: "NOT_FOUND", exit: "FAILED" },
  REPLICA_NOT_FOUND: { grpc: "NOT_FOUND", exit: "FAILED" },
  DEVICE_NOT_FOUND: { grpc: "NOT_FOUND", exit: "FAILED" },
  KEY_NOT_FOUND: { grpc: "NOT_FOUND", exit: "FAILED" },
  KEY_CONFLICT: { grpc: "FAILED_PRECONDITION", exit: "FAILED" },
  COMMAND_NOT_FOUND: { grpc: "NOT_FOUND", exit: "FAILED" },
  WRITE_NOT_FOUND: { grpc: "NOT_FOUND", exit: "FAILED" },
  REPOSITORY_EXISTS: { grpc: "ALREADY_EXISTS", exit: "FAILED" },
  DIRECTORY_EXISTS: { grpc: "ALREADY_EXISTS", exit: "FAILED" },
  ADOPTION_REFUSED: { grpc: "FAILED_PRECONDITION", exit: "FAILED" },
  BEING_ADOPTED: { grpc: "UNAVAILABLE", exit: "NOT_NOW", retryAfterMs: 1000 },
  UNAUTHENTICATED: { grpc: "UNAUTHENTICATED", exit: "FAILED" },
  PERMISSION_DENIED: { grpc: "PERMISSION_DENIED", exit: "FAILED" },
  DATABASE_UNAVAILABLE: { grpc: "UNAVAILABLE", exit: "NOT_NOW", retryAfterMs: 1000 },
  SIDECAR_UNAVAILABLE: { grpc: "UNAVAILABLE", exit: "NOT_NOW", retryAfterMs: 1000 },
  SHUTTING_DOWN: { grpc: "UNAVAILABLE", exit: "NOT_NOW", retryAfterMs: 1000 },
  NO_SOURCE: { grpc: "UNAVAILABLE", exit: "NOT_NOW", retryAfterMs: 2000 },
  SOURCE_FAILED: { grpc: "UNAVAILABLE", exit: "NOT_NOW", retryAfterMs: 1000 },
  QUEUE_FULL: { grpc: "UNAVAILABLE", exit: "NOT_NOW", retryAfterMs: 500 },
  CATCH_UP_TIMEOUT: { grpc: "UNAVAILABLE", exit: "NOT_NOW", retryAfterMs: 1000 },
  COMMIT_NOT_FOUND: { grpc: "UNAVAILABLE", exit: "NOT_NOW", retryAfterMs: 1000 },
  VERSION_AHEAD: { grpc: "UNAVAILABLE", exit: "NOT_NOW", retryAfterMs: 1000 },
  FENCED: { grpc: "ABORTED", exit: "NOT_NOW" },
  REPLICA_NEEDED: { grpc: "UNAVAILABLE", exit: "NOT_NOW", retryAfterMs: 5000 },
  ROOT_GONE: { grpc: "UNAVAILABLE", exit: "NOT_NOW", retryAfterMs: 5000 },
  ROOT_LOCKED: { grpc: "FAILED_PRECONDITION", exit: "NOT_NOW" },
  NOT_ENOUGH_COPIES: { grpc: "UNAVAILABLE", exit: "NOT_NOW", retryAfterMs: 2000 },
  TURN_HELD: { grpc: "ABORTED", exit: "NOT_NOW" },
  WRITES_STOPPED: { grpc: "FAILED_PRECONDITION", exit: "NOT_NOW" },
  WRITES_ELSEWHERE: { grpc: "FAILED_PRECONDITION", exit: "NOT_NOW" },
  WRITES_UNDER_WAY: { grpc: "UNAVAILABLE", exit: "NOT_NOW", retryAfterMs: 1000 },
  WRITES_NOT_STOPPED: { grpc: "FAILED_PRECONDITION", exit: "FAILED" },
  WRITE_DROPPED: { grpc: "ABORTED", exit: "NOT_NOW" },
  OUTCOME_UNKNOWN: { grpc: "ABORTED", exit: "FAILED" },
  REPLICA_IN_DOUBT: { grpc: "FAILED_PRECONDITION", exit: "FAILED" },
  REPLICA_BORROWS: { grpc: "FAILED_PRECONDITION", exit: "FAILED" },
  NOT_A_REPOSITORY: { grpc: "FAILED_PRECONDITION", exit: "FAILED" },
  AHEAD_OF_DATABASE: { grpc: "FAILED_PRECONDITION", exit: "FAILED" },
  DEVICE_NEEDED: { grpc: "FAILED_PRECONDITION", exit: "FAILED" },
  DEVICE_REMOVED: { grpc: "FAILED_PRECONDITION", exit: "FAILED" },
  CURSOR_EXPIRED: { grpc: "FAILED_PRECONDITION", exit: "FAILED" },
  HOOK_NOT_FOUND: { grpc: "NOT_FOUND", exit: "FAILED" },
  HOOK_EXISTS: { grpc: "ALREADY_EXISTS", exit: "FAILED" },
  THAW_REFUSED: { grpc: "FAILED_PRECONDITION", exit: "FAILED" },
  UNDO_REFUSED: { grpc: "FAILED_PRECONDITION", exit: "FAILED" },
  SCHEMA_TOO_NEW: { grpc: "FAILED_PRECONDITION", exit: "FAILED" },
  PREREQUISITE_MISSING: { grpc: "FAILED_PRECONDITION", exit: "FAILED" },
  GIT_HUNG: { grpc: "UNAVAILABLE", exit: "NOT_NOW", retryAfterMs: 1000 },
  GIT_FAILED: { grpc: "INTERNAL", exit: "FAILED" },
  INTERNAL: { grpc: "INTERNAL", exit: "FAILED" },
} as const satisfies Record<string, Row>;

export type ErrorCode = keyof typeof ERROR_TABLE;

/**
 * Returns after how many milliseconds a call that failed with `code` may be repeated. undefined: repeating does not
 * help.
 */
export function retryAfterMs(code: ErrorCode): number | undefined {
  return (ERROR_TABLE[code] as Row).retryAfterMs;
}

/** Returns the status of HTTP for an error of this code. */
export function httpStatus(code: ErrorCode): number {
  // Writes are stopped on every device. With 503 a balancer would try them all, and take each for broken.
  if (code === "WRITES_STOPPED") return 403;
  switch (GrpcStatus[ERROR_TABLE[code].grpc]) {
    case GrpcStatus.INVALID_ARGUMENT:
      return 400;
    // Not 401: git would ask the person for a password, and there is none.
    case GrpcStatus.UNAUTHENTICATED:
    case GrpcStatus.PERMISSION_DENIED:
      return 403;
    case GrpcStatus.NOT_FOUND:
      return 404;
    case GrpcStatus.INTERNAL:
      return 500;
    // Another device may be able to serve the request, so a balancer may try it.
    default:
      return 503;
  }
}

/** An expected failure. `message` is one sentence: what, why, what to do. `details` has the values that vary. */
export class LockstepError extends Error {
  override readonly name = "LockstepError";
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, string>>;
  /** A sidecar said that the same call may be repeated after so many milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; details?: Record<string, string>; retryAfterMs?: number | undefined } = {},
  ) {
    // Output of other programs may hold carriage returns. A terminal would then show nothing of the sentence before
    // them.
    super(
      message.replace(/\r+\n?/g, (found) => (found.endsWith("\n") ? "\n" : " ")),
      { cause: options.cause },
    );
    this.code = code;
    this.details = Object.freeze({ ...options.details });
    this.retryAfterMs = options.retryAfterMs;
  }
}

/**
 * Returns the error that came first. If the end of an `await using` fails too, JavaScript throws an error that holds
 * both. Its `suppressed` is the first one.
 */
export function firstError(error: unknown): unknown {
  let first = error;
  while (first instanceof Error && first.name === "SuppressedError" && "suppressed" in first) first = first.suppressed;
  return first;
}

/** Returns what was thrown as one sentence for a person: the message without the stack. */
export function describe(thrown: unknown): string {
  const error = firstError(thrown);
  return error instanceof Error ? error.message : String(error);
}
