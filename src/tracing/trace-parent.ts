// The place of a caller's work in a trace, as W3C Trace Context writes it: https://www.w3.org/TR/trace-context/.

export interface TraceParent {
  /** 32 hex digits, the same for all work of one trace. */
  readonly traceId: string;
  /** 16 hex digits: the work of the caller. */
  readonly spanId: string;
  /** Bit 0: the caller records the trace. */
  readonly flags: number;
}

const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[!-~]*)?$/;

/** Parses the header `traceparent`. undefined: it is missing or malformed, and counts as missing then. */
export function traceParentOf(text: unknown): TraceParent | undefined {
  if (typeof text !== "string") return undefined;
  const [, version, traceId = "", spanId = "", flags = "", more] = FORM.exec(text) ?? [];
  // Later versions may add fields, and the fields of version 00 stay. Ids of zeros are none.
  if (version === undefined || version === "ff" || (version === "00" && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) };
}

/** Returns the keys of a log line of work in that place of a trace, or none. */
export function traceKeys(parent: TraceParent | undefined): { readonly trace_id?: string; readonly span_id?: string } {
  return parent === undefined ? {} : { trace_id: parent.traceId, span_id: parent.spanId };
}

/** Writes the header `traceparent`. */
export function traceParentHeader({ traceId, spanId, flags }: TraceParent): string {
  return `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, "0")}`;
}
