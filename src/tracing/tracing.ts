// Puts work into the trace of its caller. The log lines of the work have the ids of the trace. If OpenTelemetry runs in
// this process, the work is a span too. Without a trace from the caller and without OpenTelemetry this does nothing.
import { AsyncLocalStorage } from "node:async_hooks";
import type { Attributes, ContextManager, Span, Tracer, TracerProvider } from "@opentelemetry/api";
import { type TraceParent, traceKeys, traceParentHeader, traceParentOf } from "./trace-parent.ts";

type Api = typeof import("@opentelemetry/api");

/** The name by which an SDK knows who made a span. */
const TRACER = "git-lockstep";

/** The piece of work that runs now. */
interface Traced {
  readonly place: TraceParent;
  readonly span: Span | undefined;
}

// Node makes all promises slower once somebody has entered it, so only work with a trace does.
const traced = new AsyncLocalStorage<Traced>();

/**
 * The place where an SDK registers itself, the same for all versions 1 of the API. The API itself does not look there
 * if its own version is newer than the one that the SDK came with.
 */
const PLACE = Symbol.for("opentelemetry.js.api.1");

interface Registered {
  /** undefined: the SDK was switched off. */
  readonly trace?: TracerProvider;
  readonly context?: ContextManager;
}

/** OpenTelemetry, if an SDK was loaded before this program (`node --import`). */
let open: { readonly api: Api; readonly sdk: Registered } | undefined;

/**
 * Looks whether an SDK of OpenTelemetry has registered itself, and only then loads the API. Returns whether there will
 * be spans, or what is missing for them.
 */
export async function lookForOpenTelemetry(load: () => Promise<Api> = loadApi): Promise<"no sdk" | "no api" | "ready"> {
  const sdk = Reflect.get(globalThis, PLACE) as Registered | undefined;
  const api = sdk?.trace === undefined ? undefined : await load().catch(() => undefined);
  open = api && sdk && { api, sdk };
  if (open !== undefined) return "ready";
  return sdk?.trace === undefined ? "no sdk" : "no api";
}

async function loadApi(): Promise<Api> {
  return await import("@opentelemetry/api");
}

/** Returns the keys of a log line that is written now: trace_id and span_id, or none. */
export function traceFields(): object {
  return traceKeys(traced.getStore()?.place);
}

/** Returns the header `traceparent` for calls of the work that runs now. undefined: the work has no trace. */
export function traceParent(): string | undefined {
  const place = traced.getStore()?.place;
  return place && traceParentHeader(place);
}

/** Adds values to the span of the work that runs now, if there is one. */
export function noteOnSpan(values: Attributes): void {
  traced.getStore()?.span?.setAttributes(values);
}

/** Says that the work that runs now failed, with an error code. */
export function failSpan(code: string): void {
  const span = traced.getStore()?.span;
  if (span === undefined || open === undefined) return;
  span.setAttribute("error.type", code).setStatus({ code: open.api.SpanStatusCode.ERROR });
}

/** A part of a piece of work. Times are those of `performance.now()`. */
export interface Step {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** Makes a span for each of these parts of the work that runs now, below its own span, if it has one. */
export function noteSteps(steps: readonly Step[]): void {
  const span = traced.getStore()?.span;
  const tracer = open?.sdk.trace?.getTracer(TRACER);
  if (span === undefined || open === undefined || tracer === undefined) return;
  const parent = open.api.trace.setSpan(open.api.ROOT_CONTEXT, span);
  const clock = (time: number) => performance.timeOrigin + time;
  for (const { name, from, to } of steps) tracer.startSpan(name, { startTime: clock(from) }, parent).end(clock(to));
}

/** Runs `work` as a part of the caller's trace. `parent`: the caller's `traceparent`, if it is well-formed. */
export async function inTrace<Result>(name: string, parent: unknown, work: () => Promise<Result>): Promise<Result> {
  const caller = traceParentOf(parent);
  const tracer = open?.sdk.trace?.getTracer(TRACER);
  if (open && tracer) return await inSpan({ ...open, tracer }, name, caller, work);
  if (caller === undefined) return await work();
  return await traced.run({ place: caller, span: undefined }, work);
}

async function inSpan<Result>(
  {
    api: { trace, ROOT_CONTEXT, SpanKind, SpanStatusCode },
    sdk,
    tracer,
  }: NonNullable<typeof open> & { tracer: Tracer },
  name: string,
  caller: TraceParent | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  const remote = caller && { ...caller, traceFlags: caller.flags, isRemote: true };
  const parent = remote === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, remote);
  const span = tracer.startSpan(name, { kind: SpanKind.SERVER }, parent);
  const { traceId, spanId, traceFlags } = span.spanContext();
  try {
    const place = { traceId, spanId, flags: traceFlags };
    const run = () => traced.run({ place, span }, work);
    return await (sdk.context?.with(trace.setSpan(parent, span), run) ?? run());
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR }).recordException(error as Error);
    throw error;
  } finally {
    span.end();
  }
}
