// The refusals of the gate: an HTTP status and a sentence. git prints a text/plain body behind `remote:`.
import { firstError, httpStatus, retryAfterMs } from "../errors.ts";
import { errorCode, toldToStrangers } from "./strangers.ts";

/** An answer other than 200. `message` is a sentence for the person at the other end. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, options: { headers?: Record<string, string>; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.status = status;
    this.headers = options.headers ?? {};
  }
}

/** Makes the refusal of a body that ended too early, or whose compression is damaged. */
export function damagedBodyRefusal(cause: unknown): Refusal {
  return new Refusal(400, "The request body is damaged.", { cause });
}

/** Returns why a request was refused, in few words: the code of `thrown`, or `HTTP_` with the status of its answer. */
export function reasonOf(thrown: unknown, { status }: Refusal): string {
  return errorCode(firstError(thrown)) ?? `HTTP_${status}`;
}

/**
 * Returns the answer to a stranger for a thrown error. Details stay in the log. An error without a code of the error
 * table becomes 500.
 */
export function asRefusal(thrown: unknown): Refusal {
  const error = firstError(thrown);
  if (error instanceof Refusal) return error;
  const code = errorCode(error);
  if (code === undefined) return new Refusal(500, toldToStrangers(error), { cause: error });
  const wait = retryAfterMs(code);
  return new Refusal(httpStatus(code), toldToStrangers(error), {
    headers: wait === undefined ? {} : { "Retry-After": String(Math.ceil(wait / 1000)) },
    cause: error,
  });
}
