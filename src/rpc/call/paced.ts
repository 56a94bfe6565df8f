// Runs the streaming RPCs that never end by themselves. A slow caller slows its handler down, instead of filling this
// process's memory, and a sidecar that stops ends the stream with SHUTTING_DOWN.
import type { handleServerStreamingCall, ServerWritableStream } from "@grpc/grpc-js";
import { LockstepError } from "../../errors.ts";
import { linkSignals } from "../../io/signals.ts";
import { type CallContext, type CallOptions, streaming } from "./call.ts";

type Stream = ServerWritableStream<unknown, unknown>;

/**
 * Makes a server-streaming handler of gRPC from `run`. `send` resolves when the stream takes more. The signal aborts
 * when the caller is gone, when its deadline is near, and with SHUTTING_DOWN when the sidecar stops.
 */
export function paced<Request, Response>(
  options: CallOptions,
  run: (request: Request, send: (message: Response) => Promise<void>, context: CallContext) => Promise<void>,
): handleServerStreamingCall<Request, Response> {
  return (call) => {
    const handler = streaming<Request, Response>(options, async (request, _, { signal, ...context }) => {
      using linked = linkSignals([signal, options.stopping]);
      const send = async (message: Response) => {
        linked.signal.throwIfAborted();
        if (!call.write(message)) await drained(call as Stream, linked.signal);
      };
      try {
        await run(request, send, { ...context, signal: linked.signal });
      } catch (error) {
        // The caller is gone, or its time is over: it goes on with its cursor.
        if (!signal.aborted) throw error;
      }
    });
    handler(call);
  };
}

async function drained(call: Stream, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const onDrain = () => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    };
    const onAbort = () => {
      call.off("drain", onDrain);
      reject(signal.reason);
    };
    call.once("drain", onDrain);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

/** Makes the error with which a stream ends when the sidecar stops. */
export function streamEndedError(device: string): LockstepError {
  return new LockstepError(
    "SHUTTING_DOWN",
    `The sidecar of device ${device} is stopping; go on at another device, with the last cursor.`,
  );
}
