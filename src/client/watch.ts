// A watch that outlives connections: it goes on after the last event at the next connection.
import { setTimeout as sleep } from "node:timers/promises";
import type { LogEntry__Output as LogEntry } from "../generated/lockstep/v1/LogEntry.ts";
import type { WatchRequest } from "../generated/lockstep/v1/WatchRequest.ts";
import type { WatchResponse__Output as WatchResponse } from "../generated/lockstep/v1/WatchResponse.ts";
import { linkSignals } from "../io/signals.ts";
import { WAITS } from "../waits.ts";
import { pauseBefore } from "./repeat.ts";

/** A version that landed. `cursor`: where a later watch goes on. */
export type WatchEvent = WatchResponse & { entry: LogEntry };

type Connect = (request: WatchRequest, signal: AbortSignal) => AsyncGenerator<WatchResponse>;

/** A sidecar sends a message at least every `watchCheckpointMs`. A connection is dead that is silent for longer. */
const CHECKPOINTS_MISSED = 3;

/** Yields events until `signal` aborts. Throws an error that no repetition mends. */
export async function* watchAnew(
  connect: Connect,
  request: WatchRequest,
  signal?: AbortSignal,
): AsyncGenerator<WatchEvent> {
  let cursor = request.cursor ?? "";
  while (!signal?.aborted) {
    using connection = linkSignals(signal ? [signal] : []);
    const watchdog = setTimeout(() => connection.abort(), WAITS.watchCheckpointMs * CHECKPOINTS_MISSED).unref();
    try {
      for await (const message of connect({ ...request, cursor }, connection.signal)) {
        watchdog.refresh();
        cursor = message.cursor;
        if (message.entry !== null) yield { ...message, entry: message.entry };
      }
    } catch (error) {
      if (signal?.aborted) return;
      const pause = connection.signal.aborted ? 0 : pauseBefore(error, "always");
      if (pause === undefined) throw error;
      await sleep(pause, undefined, signal && { signal }).catch(() => {});
    } finally {
      clearTimeout(watchdog);
    }
  }
}
