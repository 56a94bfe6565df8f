import type { ListPullsRequest__Output as Request } from "../../generated/lockstep/v1/ListPullsRequest.ts";
import type { ListPullsResponse as Response } from "../../generated/lockstep/v1/ListPullsResponse.ts";
import { toDuration, toTimestamp } from "../../protocol/times.ts";
import { listPulls as list, type PullRow } from "../../store/activity/list-events.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { filterOf } from "../encode/log-filter.ts";

export const listPulls =
  (context: SyncContext) =>
  async ({ filter }: Request): Promise<Response> => {
    const rows = await list(context.db, filterOf(filter, "pull"));
    return { pulls: rows.map(encode) };
  };

function encode({ at, address, requestId, version, code, reason, waitMs, durationMs, ...row }: PullRow) {
  return {
    ...row,
    at: toTimestamp(at),
    address: address ?? "",
    requestId: requestId ?? "",
    version: String(version ?? 0n),
    code: code ?? "",
    reason: reason ?? "",
    waited: toDuration(waitMs),
    took: toDuration(durationMs),
  };
}
