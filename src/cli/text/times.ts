// Timestamps of the protocol as commands print them.
import { toMs } from "../../protocol/times.ts";
import { ago, span } from "../terminal/ago.ts";

/** Returns when something was, for people: "3 min ago". */
export function moment(timestamp: unknown): string {
  return ago(new Date(toMs(timestamp as never) ?? 0));
}

/** Returns for how long something has gone on, for people: "3 min". */
export function lasting(timestamp: unknown): string {
  return span(Date.now() - (toMs(timestamp as never) ?? 0));
}

/** Returns a timestamp of the protocol as ISO 8601 text. */
export function instant(timestamp: unknown): string {
  return new Date(toMs(timestamp as never) ?? 0).toISOString();
}
