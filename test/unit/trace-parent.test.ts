import { expect, it } from "vitest";
import { traceKeys, traceParentOf } from "../../src/tracing/trace-parent.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

it("reads the place of a caller in a trace", () => {
  expect(traceParentOf(`00-${TRACE}-${SPAN}-01`)).toEqual({ traceId: TRACE, spanId: SPAN, flags: 1 });
  expect(traceKeys(traceParentOf(`00-${TRACE}-${SPAN}-00`))).toEqual({ trace_id: TRACE, span_id: SPAN });
});

it("reads a later version, which may have more fields", () => {
  expect(traceParentOf(`cc-${TRACE}-${SPAN}-01-what-the-future-brings`)).toMatchObject({ traceId: TRACE });
});

it.each([
  ["nothing", undefined],
  ["two headers", [`00-${TRACE}-${SPAN}-01`]],
  ["bytes", Buffer.from(`00-${TRACE}-${SPAN}-01`)],
  ["an empty text", ""],
  ["upper case", `00-${TRACE.toUpperCase()}-${SPAN}-01`],
  ["a trace of zeros", `00-${"0".repeat(32)}-${SPAN}-01`],
  ["a span of zeros", `00-${TRACE}-${"0".repeat(16)}-01`],
  ["the forbidden version", `ff-${TRACE}-${SPAN}-01`],
  ["more fields than the version has", `00-${TRACE}-${SPAN}-01-x`],
  ["a short id", `00-${TRACE.slice(1)}-${SPAN}-01`],
  ["a line break", `00-${TRACE}-${SPAN}-01\n`],
  ["a control character", `cc-${TRACE}-${SPAN}-01-\u001b[31m`],
])("takes %s for no place in a trace", (_, text) => {
  expect(traceParentOf(text)).toBeUndefined();
  expect(traceKeys(traceParentOf(text))).toEqual({});
});
