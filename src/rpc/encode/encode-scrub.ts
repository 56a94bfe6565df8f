// Converts scrubs to messages of the protocol.
import { toTimestamp } from "../../protocol/times.ts";
import type { ScrubRow } from "../../store/replica/scrubs.ts";

/** Returns the last full verification of a replica as the protocol has it. */
export function encodeScrub({ repository, device, at, scrub, overdue }: ScrubRow) {
  return {
    ...{ repository, device, overdue },
    at: toTimestamp(at),
    differences: scrub?.differences ?? 0,
    damage: [...(scrub?.damage ?? [])],
    failure: scrub?.failure ?? "",
  };
}
