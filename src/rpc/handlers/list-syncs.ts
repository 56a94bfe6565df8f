import type { ListSyncsRequest__Output as Request } from "../../generated/lockstep/v1/ListSyncsRequest.ts";
import type { ListSyncsResponse as Response } from "../../generated/lockstep/v1/ListSyncsResponse.ts";
import { toDuration, toTimestamp } from "../../protocol/times.ts";
import { listSyncs as list, type SyncRow } from "../../store/activity/list-events.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { filterOf } from "../encode/log-filter.ts";

export const listSyncs =
  (context: SyncContext) =>
  async ({ filter }: Request): Promise<Response> => {
    const rows = await list(context.db, filterOf(filter, "sync"));
    return { syncs: rows.map(encode) };
  };

function encode({ at, fromVersion, version, bytes, durationMs, error, said, ...row }: SyncRow) {
  return {
    ...row,
    at: toTimestamp(at),
    fromVersion: String(fromVersion),
    version: String(version),
    bytes: String(bytes),
    took: toDuration(durationMs),
    error: error ?? "",
    said: said ?? "",
  };
}
