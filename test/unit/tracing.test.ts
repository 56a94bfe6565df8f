// Work in the trace of its caller, without OpenTelemetry and with it. The API of OpenTelemetry is the real one; an SDK
// that only notes what it is told stands for one that sends spans.
import { setTimeout as delay } from "node:timers/promises";
import { context, type Span, type SpanContext, trace } from "@opentelemetry/api";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  failSpan,
  inTrace,
  lookForOpenTelemetry,
  noteOnSpan,
  noteSteps,
  traceFields,
  traceParent,
} from "../../src/tracing/tracing.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const CALLER = "b7ad6b7169203331";
const PARENT = `00-${TRACE}-${CALLER}-01`;

describe("without OpenTelemetry", () => {
  it("loads nothing, and adds nothing to a log line", async () => {
    const load = vi.fn();
    expect(await lookForOpenTelemetry(load)).toBe("no sdk");
    expect(load).not.toHaveBeenCalled();
    expect(await inTrace("push", undefined, async () => traceFields())).toEqual({});
    expect(await inTrace("push", "nonsense", async () => traceFields())).toEqual({});
  });

  it("gives the lines of a caller's work the ids of its trace, and other lines none", async () => {
    const seen = inTrace("push", PARENT, async () => {
      await delay(5);
      noteOnSpan({ refs: 1 });
      noteSteps([{ name: "stage", from: 1, to: 2 }]);
      failSpan("INTERNAL");
      expect(traceParent()).toBe(PARENT);
      return traceFields();
    });
    expect([traceFields(), traceParent()]).toEqual([{}, undefined]);
    expect(await seen).toEqual({ trace_id: TRACE, span_id: CALLER });
    expect(traceFields()).toEqual({});
  });
});

interface Noted {
  readonly name: string;
  readonly parent: SpanContext | undefined;
  readonly told: unknown[][];
}

describe("with OpenTelemetry", () => {
  let spans: Noted[];
  beforeEach(async () => {
    spans = [];
    const startSpan = (name: string, _: object, within = context.active()) => {
      const told: unknown[][] = [];
      spans.push({ name, parent: trace.getSpanContext(within), told });
      const span: object = new Proxy(
        {},
        {
          get: (_, method) => {
            if (method === "spanContext")
              return () => ({ traceId: TRACE, spanId: `${spans.length}`.padStart(16, "0"), traceFlags: 1 });
            return (...args: unknown[]) => {
              told.push([method, ...args]);
              return span;
            };
          },
        },
      );
      return span as Span;
    };
    trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan, startActiveSpan: vi.fn() }) });
    expect(await lookForOpenTelemetry()).toBe("ready");
  });
  // The files of unit tests share their modules, so the next file would find OpenTelemetry there.
  afterEach(async () => {
    trace.disable();
    expect(await lookForOpenTelemetry()).toBe("no sdk");
  });

  it("makes a span below that of the caller, whose id the log lines have", async () => {
    const fields = await inTrace("push", PARENT, async () => {
      noteOnSpan({ "lockstep.refs": 2 });
      return traceFields();
    });
    expect(fields).toEqual({ trace_id: TRACE, span_id: "0000000000000001" });
    expect(spans).toEqual([
      {
        name: "push",
        parent: expect.objectContaining({ traceId: TRACE, spanId: CALLER, traceFlags: 1, isRemote: true }),
        told: [["setAttributes", { "lockstep.refs": 2 }], ["end"]],
      },
    ]);
  });

  it("names its own span to whom the work calls, and makes a span below it for each step", async () => {
    const called = await inTrace("push", PARENT, async () => {
      noteSteps([{ name: "stage", from: 10, to: 12 }]);
      return traceParent();
    });
    expect(called).toBe(`00-${TRACE}-0000000000000001-01`);
    expect(spans[1]).toEqual({
      name: "stage",
      parent: expect.objectContaining({ traceId: TRACE }),
      told: [["end", performance.timeOrigin + 12]],
    });
  });

  it("makes no spans where the API cannot be loaded, and says what is missing", async () => {
    expect(await lookForOpenTelemetry(() => Promise.reject(new Error("not found")))).toBe("no api");
    await inTrace("push", undefined, async () => noteSteps([{ name: "stage", from: 10, to: 12 }]));
    expect(spans).toEqual([]);
  });

  it("is left alone once the SDK is switched off", async () => {
    trace.disable();
    expect(await inTrace("read", PARENT, async () => traceFields())).toEqual({ trace_id: TRACE, span_id: CALLER });
    expect(spans).toEqual([]);
  });

  it("makes a span of its own for a caller without a trace", async () => {
    await inTrace("read", undefined, async () => {});
    expect(spans).toMatchObject([{ name: "read", parent: undefined, told: [["end"]] }]);
  });

  it("says that the work failed, by throwing or by an error code", async () => {
    const error = new Error("no");
    await expect(inTrace("call", PARENT, () => Promise.reject(error))).rejects.toBe(error);
    await inTrace("push", PARENT, async () => failSpan("QUEUE_FULL"));
    expect(spans.map(({ told }) => told)).toEqual([
      [["setStatus", { code: 2 }], ["recordException", error], ["end"]],
      [["setAttribute", "error.type", "QUEUE_FULL"], ["setStatus", { code: 2 }], ["end"]],
    ]);
  });
});
