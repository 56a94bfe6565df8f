// Makes the gRPC status of an error.
import { randomUUID } from "node:crypto";
import { Metadata, status } from "@grpc/grpc-js";
import type { Logger } from "pino";
import { describe, ERROR_TABLE, firstError, GrpcStatus, LockstepError } from "../../errors.ts";
import { diskError } from "../../io/disk-errors.ts";
import { DETAILS_KEY, encodeDetails } from "../../protocol/error-details.ts";

/** The most characters of an error message, and of each of its details, that go to the caller. */
const TEXT_LIMIT = 1_000;

/** Returns the error of a call. If it only says that the signal ended the work, it becomes CATCH_UP_TIMEOUT. */
export function inTime(thrown: unknown, signal: AbortSignal): unknown {
  const error = firstError(thrown);
  if (!signal.aborted || (error !== signal.reason && (error as Error | undefined)?.name !== "AbortError")) return error;
  const why = "The call was not done by its deadline, or its caller left; give it more time and try again.";
  return new LockstepError("CATCH_UP_TIMEOUT", why, { cause: error });
}

/** Returns the status of an error that a handler has thrown. An unexpected one goes into the log, under an id. */
export function toStatus(thrown: unknown, path: string, log: Logger) {
  const error = firstError(thrown);
  const known =
    error instanceof LockstepError ? shortenedError(error) : (diskError(error) ?? internalError(error, path, log));
  const metadata = new Metadata();
  metadata.set(DETAILS_KEY, encodeDetails(known));
  const code = GrpcStatus[ERROR_TABLE[known.code].grpc];
  if (code === status.INTERNAL) log.error({ rpc: path, err: describe(known) }, "call failed");
  return { code, details: known.message, metadata };
}

/**
 * Shortens the texts of an error to TEXT_LIMIT. A status travels in HTTP headers. Headers of 64 KiB break the
 * connection for all its calls, and some clients accept only 8 KiB.
 */
function shortenedError(error: LockstepError): LockstepError {
  const cut = (text: string) => (text.length > TEXT_LIMIT ? `${text.slice(0, TEXT_LIMIT)}…` : text);
  const details = Object.fromEntries(Object.entries(error.details).map(([key, value]) => [key, cut(value)]));
  return new LockstepError(error.code, cut(error.message), { cause: error, details });
}

function internalError(error: unknown, path: string, log: Logger): LockstepError {
  const id = randomUUID();
  log.error({ rpc: path, id, err: error }, "an error that nobody expected");
  return new LockstepError("INTERNAL", `An internal error; the server's log has it under ${id}.`, { details: { id } });
}
