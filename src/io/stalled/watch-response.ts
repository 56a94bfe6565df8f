// Watches that a response makes progress. A peer that takes nothing holds a place that others need, and so does a git
// that writes nothing.
//
// A slow peer is none that takes nothing. The kernel keeps megabytes for a peer, and lets this process write again when
// a third of that is free. So a peer that took 80 KB/s showed this process nothing for 14 s. The watch asks the kernel
// too how much the peer has taken.
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { unacknowledged } from "./unacknowledged.ts";

/** How long a response may stand still, in milliseconds. */
export interface Patience {
  /** For so long the peer may take no byte although some wait. */
  readonly takeMs: number;
  /** For so long there may be no byte for the peer. Default: any time. */
  readonly silentMs?: number;
  /** Called before the watch hangs up on a peer that takes nothing. It must not throw. */
  readonly onStalled?: () => void;
}

/** A peer is looked at this many times before it is hung up on. So time in which this process stood still is none. */
const LOOKS = 10;

/** Hangs up when a response stands still for too long. Watches until the response has closed. */
export function watchResponse(
  { socket }: { readonly socket: Socket },
  response: ServerResponse,
  { takeMs, silentMs = Number.POSITIVE_INFINITY, onStalled = () => {} }: Patience,
): void {
  const lookMs = Math.min(takeMs, silentMs) / LOOKS;
  let seen = "";
  let looks = 0;
  const look = async () => {
    const waiting = response.writableLength;
    const taken = socket.bytesWritten - waiting;
    // Bytes that begin to wait have their time from then on, however long git was silent before.
    const now = waiting === 0 ? `${taken}` : `${taken} ${await unacknowledged(socket)}`;
    if (response.destroyed) return;
    looks = now === seen ? looks + 1 : 0;
    seen = now;
    if (looks * lookMs < (waiting > 0 ? takeMs : silentMs)) return;
    if (waiting > 0) onStalled();
    socket.destroy();
  };
  const timer = setInterval(() => void look(), lookMs);
  timer.unref();
  response.once("close", () => clearInterval(timer));
}
