// Runs every RPC: authenticates the caller, checks its role, and calls the handler.
import { isIP } from "node:net";
import type {
  handleServerStreamingCall,
  handleUnaryCall,
  Metadata,
  ServerUnaryCall,
  ServerWritableStream,
} from "@grpc/grpc-js";
import type { Logger } from "pino";
import { describe, firstError, LockstepError } from "../../errors.ts";
import type { Act } from "../../store/registry/audit.ts";
import type { Peers } from "../../tls/peers.ts";
import type { Refused } from "../../tls/trust.ts";
import { inTrace } from "../../tracing/tracing.ts";
import { actOf } from "./act.ts";
import type { Caller } from "./caller.ts";
import { allowedTo, type CallerLimits, checkLimits } from "./limits.ts";
import { type Rule, ruleFor } from "./roles.ts";
import { inTime, toStatus } from "./status.ts";
import { checkTexts } from "./texts.ts";

/** Returns the caller of a call. Throws UNAUTHENTICATED. */
export type Authenticate = (call: AnyCall) => Caller | Promise<Caller>;

export interface CallOptions {
  readonly authenticate: Authenticate;
  readonly log: Logger;
  /** Aborts when the sidecar stops, with the error for streams that do not end by themselves. */
  readonly stopping: AbortSignal;
  readonly limits: CallerLimits;
  /** Adds an operator's act to the audit. */
  readonly record: (act: Act) => Promise<void>;
  /** Is told of callers that were refused. */
  readonly onRefused: (refused: Refused, times?: number) => void;
}

export interface CallContext {
  readonly caller: Caller;
  /** The repositories that the caller may use: names and globs. Empty: all. */
  readonly allowed: readonly string[];
  /** Returns the address of the caller; null: it is on this machine. */
  readonly from: () => string | null;
  /** Aborts when the caller is gone or its deadline has passed. */
  readonly signal: AbortSignal;
}

type AnyCall = ServerUnaryCall<unknown, unknown> | ServerWritableStream<unknown, unknown>;

/** Returns the caller on the unix socket, which is always an operator. */
export const localCaller: Authenticate = () => ({ role: "operator", name: "local", local: true });

/** Returns a function that asks `peers` whose connection a call came on, and whether it may be used. */
export function certificateCaller(peers: Peers): Authenticate {
  return async (call) => await peers.admit(call.getAuthContext().sslPeerCertificate);
}

/** Makes a unary handler of gRPC from `run`. */
export function unary<Request, Response>(
  options: CallOptions,
  run: (request: Request, context: CallContext) => Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, respond) => {
    const path = call.getPath();
    const { signal, disarm } = cancellation(call as AnyCall);
    void (async () => {
      const admitted = await authorise(options, call as AnyCall, path);
      const work = () => run(call.request, { ...admitted, signal });
      return await inTrace(spanName(path), parentOf(call), () => recorded(options, admitted, call, work));
    })()
      .then(
        (response) => respond(null, response),
        (error: unknown) => respond(toStatus(inTime(error, signal), path, options.log)),
      )
      .finally(disarm);
  };
}

/** Makes a server-streaming handler of gRPC from `run`. Messages for a slow caller wait in memory. */
export function streaming<Request, Response>(
  options: CallOptions,
  run: (request: Request, send: (message: Response) => void, context: CallContext) => Promise<void>,
): handleServerStreamingCall<Request, Response> {
  return (call) => {
    const path = call.getPath();
    const { signal, disarm } = cancellation(call as AnyCall);
    void (async () => {
      const admitted = await authorise(options, call as AnyCall, path);
      const work = () => run(call.request, (message) => void call.write(message), { ...admitted, signal });
      await inTrace(spanName(path), parentOf(call), () => recorded(options, admitted, call, work));
    })()
      .then(
        () => call.end(),
        // grpc-js sends the status of an "error" event. A destroyed stream sends no status, and the caller would hang.
        (error: unknown) => call.emit("error", toStatus(inTime(error, signal), path, options.log)),
      )
      .finally(disarm);
  };
}

/** Returns the name of a span as OpenTelemetry wants it: service and method. */
function spanName(path: string): string {
  return path.slice(1);
}

function parentOf({ metadata }: { readonly metadata: Metadata }): unknown {
  return metadata.get("traceparent")[0];
}

interface Admitted extends Pick<CallContext, "caller" | "allowed" | "from"> {
  readonly rule: Rule;
}

/**
 * Returns the caller if it may make this call. Throws UNAUTHENTICATED, PERMISSION_DENIED, INVALID_REQUEST,
 * DATABASE_UNAVAILABLE.
 */
async function authorise(options: CallOptions, call: AnyCall, path: string): Promise<Admitted> {
  const caller = await options.authenticate(call);
  try {
    const rule = ruleFor(caller.role, path);
    if (rule === undefined)
      throw new LockstepError(
        "PERMISSION_DENIED",
        `A certificate of the role ${caller.role} may not call ${path.split("/").at(-1)}; use one of the role operator.`,
      );
    checkTexts(call.request);
    await checkLimits(caller, rule, call.request, options.limits);
    return { caller, rule, from: () => addressOf(call), allowed: allowedTo(caller, options.limits) };
  } catch (error) {
    if (error instanceof LockstepError && error.code === "PERMISSION_DENIED") {
      const from = call.getPeer().replace(/:\d+$/, "");
      options.onRefused({ who: `${caller.role} ${caller.name}`, from, code: error.code, why: error.message });
    }
    throw error;
  }
}

function addressOf(call: AnyCall): string | null {
  const address = call.getPeer().replace(/:\d+$/, "");
  return isIP(address.replace(/^\[(.*)\]$/, "$1")) === 0 ? null : address;
}

/** Runs a call, and brings it to the audit if it is an operator's act that the database does not record itself. */
async function recorded<T>(
  options: CallOptions,
  { caller, rule }: Admitted,
  call: { readonly request: unknown; getPath(): string },
  run: () => Promise<T>,
): Promise<T> {
  if (rule.does !== "operates" && rule.does !== "operates, own row") return await run();
  const record = async (result: string) => {
    await options.record(actOf(call.getPath(), caller, call.request, result)).catch((error: unknown) => {
      options.log.error({ rpc: call.getPath(), err: describe(error) }, "could not write an act to the audit");
    });
  };
  try {
    const result = await run();
    if (rule.does === "operates") await record("done");
    return result;
  } catch (error) {
    const first = firstError(error);
    await record(first instanceof LockstepError ? first.code : "INTERNAL");
    throw error;
  }
}

/**
 * Work stops this long before the deadline of a call, so that the answer with the reason reaches the caller in time.
 */
const LAST_WORDS_MS = 200;

/**
 * Returns a signal that aborts when the call is cancelled or its deadline is near. `disarm` ends this: grpc-js emits
 * "cancelled" also for calls that have completed.
 */
function cancellation(call: AnyCall): { signal: AbortSignal; disarm: () => void } {
  const controller = new AbortController();
  let armed = true;
  call.on("cancelled", () => armed && controller.abort());
  const leftMs = Number(call.getDeadline()) - Date.now();
  // A deadline farther away than a timer can count sets no timer.
  const timer =
    leftMs < 2 ** 31 ? setTimeout(() => controller.abort(), Math.max(leftMs - LAST_WORDS_MS, leftMs / 2)) : undefined;
  return {
    signal: controller.signal,
    disarm: () => {
      armed = false;
      clearTimeout(timer);
    },
  };
}
