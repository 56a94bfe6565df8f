// A response to another device goes on, or ends: a peer that takes nothing, and a git that gives nothing, hold a place that others need.
import type { IncomingMessage, ServerResponse } from "node:http";
import { STALL_MS } from "../git/silence.ts";

const LOOK_MS = 1_000;

/**
 * Hangs up when the peer has taken no byte for ten seconds, or when it waits, and git has given none for `silentMs`. Watches until it is
 * disposed of, or until the peer has everything.
 */
export function watchResponse(request: IncomingMessage, response: ServerResponse, silentMs: number): Disposable {
  let taken = -1;
  let since = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    const waiting = response.writableLength;
    const takenNow = request.socket.bytesWritten - waiting;
    if (takenNow !== taken) [taken, since] = [takenNow, now];
    else if (now - since >= (waiting > 0 ? STALL_MS : silentMs)) request.socket.destroy();
  }, LOOK_MS);
  timer.unref();
  const stop = () => clearInterval(timer);
  response.once("close", stop);
  return { [Symbol.dispose]: stop };
}
