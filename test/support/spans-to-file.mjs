// Loaded with `node --import` before `lockstep`, as a user's file is: a real SDK of OpenTelemetry, which writes each span
// that has ended as a line into the file SPANS_FILE.
import { appendFileSync } from "node:fs";
import { NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";

const exporter = {
  export(spans, done) {
    for (const span of spans) {
      const { name, attributes, status, startTime, endTime } = span;
      const { traceId, spanId } = span.spanContext();
      const line = { name, traceId, spanId, parent: span.parentSpanContext?.spanId, attributes, status };
      const [from, to] = [startTime, endTime].map(([seconds, nanos]) => seconds * 1000 + nanos / 1e6);
      appendFileSync(process.env.SPANS_FILE, `${JSON.stringify({ ...line, from, to })}\n`);
    }
    done({ code: 0 });
  },
  shutdown: async () => {},
};
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
