// Reads the filter of the push log, the pull log and the sync log.
import { LockstepError } from "../../errors.ts";
import type { LogFilter__Output } from "../../generated/lockstep/v1/LogFilter.ts";
import { toMs } from "../../protocol/times.ts";
import type { EventFilter } from "../../store/activity/list-events.ts";

const PAGE = 20;
const PAGE_LIMIT = 1_000;
/** The last moment that a timestamp of the protocol may name. */
const LAST_MS = Date.parse("9999-12-31T23:59:59.999Z");

const RESULTS = {
  push: ["landed", "unchanged", "refused", "unknown"],
  pull: ["current", "caught_up", "stale", "refused"],
  sync: ["ok", "failed"],
} as const;

/** Returns the filter for the store. Throws INVALID_REQUEST for a result that such a log does not have. */
export function filterOf(filter: LogFilter__Output | null, log: keyof typeof RESULTS): EventFilter {
  const result = filter?.result || null;
  const known: readonly string[] = RESULTS[log];
  if (result !== null && !known.includes(result))
    throw new LockstepError(
      "INVALID_REQUEST",
      `${JSON.stringify(result)} is no result of the ${log} log; name one of ${known.join(", ")}.`,
    );
  return {
    repository: filter?.repository || null,
    device: filter?.device || null,
    since: timeOf(filter?.since),
    until: timeOf(filter?.until),
    author: filter?.author || null,
    result,
    ref: filter?.ref || null,
    limit: Math.min(filter?.limit || PAGE, PAGE_LIMIT),
  };
}

function timeOf(timestamp: LogFilter__Output["since"] | undefined): Date | null {
  const ms = toMs(timestamp as never);
  return ms === undefined ? null : new Date(Math.min(LAST_MS, Math.max(0, Math.floor(ms))));
}
