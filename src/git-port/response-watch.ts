// Watches that a response to another device makes progress. A peer that takes nothing, and a git that writes nothing,
// hold a place that others need.
import type { IncomingMessage, ServerResponse } from "node:http";
import { WAITS } from "../waits.ts";

/**
 * Hangs up when the peer takes no byte for ten seconds although some wait, or when git writes none for `silentMs`.
 * Watches until it is disposed of, or until the response has closed.
 */
export function watchResponse(request: IncomingMessage, response: ServerResponse, silentMs: number): Disposable {
  let taken = -1;
  let since = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    const waiting = response.writableLength;
    const takenNow = request.socket.bytesWritten - waiting;
    if (takenNow !== taken) [taken, since] = [takenNow, now];
    else if (now - since >= (waiting > 0 ? WAITS.gitStallMs : silentMs)) request.socket.destroy();
  }, WAITS.peerLookMs);
  timer.unref();
  const stop = () => clearInterval(timer);
  response.once("close", stop);
  return { [Symbol.dispose]: stop };
}
