// The question before a read for a front end that speaks HTTP: a refusal becomes the answer to its client.
import type { ServerResponse } from "node:http";
import { httpStatus, LockstepError } from "../errors.ts";
import type { BeforeReadRequest } from "../generated/lockstep/v1/BeforeReadRequest.ts";
import type { BeforeReadResponse__Output } from "../generated/lockstep/v1/BeforeReadResponse.ts";
import type { CallOptions, Methods } from "../generated/methods.ts";
import { linkSignals } from "../io/signals.ts";

/** undefined: the read was refused, and the refusal is told. */
export type Granted = BeforeReadResponse__Output | undefined;

/**
 * Asks before a read. If the sidecar refuses it, answers `response` with the status and the sentence of the error, and
 * returns undefined. Throws what is no LockstepError.
 */
export async function beforeHttpRead(
  client: Methods,
  request: BeforeReadRequest,
  response: ServerResponse,
  { signal, ...options }: CallOptions = {},
): Promise<Granted> {
  using asking = linkSignals(signal ? [signal] : []);
  const left = () => asking.abort();
  response.once("close", left);
  try {
    return await client.beforeRead(request, { ...options, signal: asking.signal });
  } catch (error) {
    if (!(error instanceof LockstepError)) throw error;
    // git shows a body of this type to its user.
    const headers = { "Content-Type": "text/plain; charset=utf-8", ...retryAfter(error) };
    response.writeHead(httpStatus(error.code), headers).end(`${error.message}\n`);
    return undefined;
  } finally {
    response.off("close", left);
  }
}

function retryAfter({ retryAfterMs }: LockstepError): { "Retry-After"?: string } {
  return retryAfterMs === undefined ? {} : { "Retry-After": String(Math.ceil(retryAfterMs / 1000)) };
}
