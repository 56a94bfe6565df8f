import { EventEmitter } from "node:events";
import { Metadata, type ServerUnaryCall, type ServiceError } from "@grpc/grpc-js";
import { pino } from "pino";
import { expect, it } from "vitest";
import { type CallOptions, unary } from "../../src/rpc/call/call.ts";

type Run = (request: unknown, context: { signal: AbortSignal }) => Promise<unknown>;

const options: CallOptions = {
  authenticate: () => ({ role: "operator", name: "local", local: true }),
  log: pino({ level: "silent" }),
  stopping: new AbortController().signal,
  limits: { accessOf: () => undefined, holds: async () => true },
  record: async () => {},
  onRefused: () => {},
};

/** Makes a call that ends `leftMs` from now, and returns the message of its error. */
async function refusalOf(run: Run, leftMs: number): Promise<string | undefined> {
  const deadline = Date.now() + leftMs;
  const path = { getPath: () => "/lockstep.v1.SyncService/GetVersion", getDeadline: () => deadline };
  const call = Object.assign(new EventEmitter(), { request: {}, metadata: new Metadata(), ...path });
  const error = await new Promise<Partial<ServiceError> | null>((answer) =>
    unary(options, run)(call as unknown as ServerUnaryCall<unknown, unknown>, answer),
  );
  return error?.details;
}

/** Works until the signal ends it. */
const endless: Run = async (_, { signal }) =>
  await new Promise((_done, failed) => signal.addEventListener("abort", () => failed(signal.reason)));

it("a call whose work ends at its deadline says so, and is no internal error", async () => {
  expect(await refusalOf(endless, 2)).toBe(
    "The call was not done by its deadline, or its caller left; give it more time and try again.",
  );
});

it("an error that nobody expected is one before and after the deadline", async () => {
  const late: Run = async (request, context) =>
    await endless(request, context).catch(() => Promise.reject(new Error("x")));
  expect(await refusalOf(late, 2)).toMatch(/^An internal error/);
  expect(await refusalOf(() => Promise.reject(new DOMException("aborted", "AbortError")), 60_000)).toMatch(
    /^An internal error/,
  );
});
