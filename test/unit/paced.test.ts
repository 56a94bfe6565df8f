import { EventEmitter, getEventListeners } from "node:events";
import { Metadata, type ServerWritableStream } from "@grpc/grpc-js";
import { describe, expect, it, vi } from "vitest";
import { LockstepError } from "../../src/errors.ts";
import { localCaller } from "../../src/rpc/call/call.ts";
import { paced } from "../../src/rpc/call/paced.ts";
import { SOON } from "../support/soon.ts";

/** A call of Watch whose caller reads nothing after the first message, until `read`. */
class SlowCall extends EventEmitter {
  readonly written: unknown[] = [];
  readonly request = {};
  ended = false;

  write(message: unknown): boolean {
    this.written.push(message);
    return false;
  }
  read(): void {
    this.emit("drain");
  }
  end(): void {
    this.ended = true;
  }
  readonly metadata = new Metadata();
  getPath(): string {
    return "/lockstep.v1.ClusterService/Watch";
  }
  getDeadline(): number {
    return Number.POSITIVE_INFINITY;
  }
}

function calling() {
  const stopping = new AbortController();
  const errors: unknown[] = [];
  const call = new SlowCall();
  call.on("error", (error) => errors.push(error));
  let made = 0;
  let over = false;
  const options = {
    ...{ authenticate: localCaller, log: {} as never, stopping: stopping.signal },
    ...{ limits: {} as never, record: async () => {}, onRefused: () => {} },
  };
  const handler = paced<object, number>(options, async (_, send) => {
    try {
      for (;;) {
        made += 1;
        await send(made);
      }
    } finally {
      over = true;
    }
  });
  handler(call as unknown as ServerWritableStream<object, number>);
  return { call, stopping, errors, made: () => made, over: () => over };
}

describe("a stream that never ends by itself", () => {
  it("makes the next message only when a slow caller has read", async () => {
    const { call, made } = calling();
    for (let messages = 1; messages < 5; messages += 1) {
      await vi.waitFor(() => expect(made()).toBe(messages), SOON);
      await new Promise(setImmediate);
      expect(call.written).toHaveLength(messages);
      call.read();
    }
  });

  it("ends when the caller is gone, and leaves no listener", async () => {
    const { call, stopping, over, errors } = calling();
    await vi.waitFor(() => expect(call.written).toHaveLength(1), SOON);
    call.emit("cancelled");
    await vi.waitFor(() => expect(over()).toBe(true), SOON);
    await vi.waitFor(() => expect(getEventListeners(stopping.signal, "abort")).toEqual([]), SOON);
    expect(call.listenerCount("drain")).toBe(0);
    expect(errors).toEqual([]);
  });

  it("ends with the reason when the sidecar stops", async () => {
    const { call, stopping, over, errors } = calling();
    await vi.waitFor(() => expect(call.written).toHaveLength(1), SOON);
    stopping.abort(new LockstepError("SHUTTING_DOWN", "The sidecar is stopping; go on elsewhere."));
    await vi.waitFor(() => expect(over()).toBe(true), SOON);
    await vi.waitFor(
      () => expect(errors).toMatchObject([{ code: 14, details: expect.stringContaining("stopping") }]),
      SOON,
    );
  });
});
