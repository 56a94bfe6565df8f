// Serves one request: refuses it or lets git serve it, and writes the log.
import type { IncomingMessage, ServerResponse } from "node:http";
import { foreignHost } from "../http/host-names.ts";
import { limitedAddress } from "../io/client-address.ts";
import { watchResponse } from "../io/stalled/watch-response.ts";
import { GitNotStarted } from "../smart-http/git-child.ts";
import { logNotStarted } from "../smart-http/git-failure.ts";
import { asRefusal, Refusal, reasonOf } from "../smart-http/refusal.ts";
import { requestIdOf } from "../smart-http/request-id.ts";
import { failSpan, inTrace, noteOnSpan, traceFields } from "../tracing/tracing.ts";
import { refuse } from "./refuse.ts";
import { serveGit } from "./serve-git.ts";
import type { ServeOptions, Shared } from "./serve-options.ts";
import type { Hand, Told } from "./served.ts";

/**
 * Answers a request. Resolves when its git process is gone and the client has the answer, or when the gate stops.
 * Never rejects: an error becomes an answer or a hang-up, and a line in the log.
 */
export async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  options: ServeOptions,
  shared: Shared,
): Promise<void> {
  await inTrace("gate", request.headers.traceparent, () => answer(request, response, options, shared));
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: ServeOptions,
  shared: Shared,
): Promise<void> {
  const started = performance.now();
  const requestId = requestIdOf(request);
  const fields: Told = { requestId, ...traceFields() };
  const outcome = () => ({
    ...fields,
    status: response.statusCode,
    durationMs: Math.round(performance.now() - started),
  });
  response.setHeader("X-Request-Id", requestId);
  // A client may leave at any moment; the exchange learns it from `close`.
  response.on("error", () => {});
  const { idleMs } = options.bodyLimits;
  const onStalled = () => options.log.warn(fields, "hung up on a client that took nothing for too long");
  watchResponse(request, response, { takeMs: idleMs, onStalled });
  const inHand: Hand = { seen: {} };
  try {
    const foreign = foreignHost(request.headers.host, options.hostNames);
    if (foreign !== undefined) throw new Refusal(421, foreign);
    await serveGit(request, response, options, shared, fields, inHand);
    options.log.info(outcome(), response.writableEnded ? "request served" : "request ended by a hang-up");
    noteOnSpan({ "http.response.status_code": response.statusCode });
    options.onServed?.({ ...outcome(), ...inHand.seen });
  } catch (error) {
    if (response.destroyed) {
      options.log.info(outcome(), "client left");
      options.onLeft?.({ ...outcome(), ...inHand.seen });
      return;
    }
    if (error instanceof GitNotStarted) logNotStarted(options.log, fields, error.cause);
    const refusal = asRefusal(shared.stopping.aborted ? shared.stopping.reason : error);
    await refuse(response, refusal, requestId, {
      ...inHand,
      idleMs,
      stopping: shared.stopping,
      telling: shared.crowd.telling,
      address: limitedAddress(request, options.trustedProxies),
    });
    request.unpipe().resume();
    options.log[refusal.status === 500 ? "error" : "warn"]({ ...outcome(), err: error }, "request refused");
    const reason = reasonOf(error, refusal);
    noteOnSpan({ "http.response.status_code": refusal.status });
    if (refusal.status >= 500) failSpan(reason);
    options.onServed?.({ ...outcome(), ...inHand.seen, status: refusal.status, reason }, error);
  }
}
