import type { ListPushesRequest__Output as Request } from "../../generated/lockstep/v1/ListPushesRequest.ts";
import type { ListPushesResponse as Response } from "../../generated/lockstep/v1/ListPushesResponse.ts";
import { toDuration, toTimestamp } from "../../protocol/times.ts";
import { listPushes as list, type PushRow } from "../../store/activity/list-events.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { filterOf } from "../encode/log-filter.ts";

export const listPushes =
  (context: SyncContext) =>
  async ({ filter }: Request): Promise<Response> => {
    const rows = await list(context.db, filterOf(filter, "push"));
    return { pushes: rows.map(encode) };
  };

function encode(row: PushRow) {
  return {
    at: toTimestamp(row.at),
    device: row.device,
    repository: row.repository,
    author: row.author,
    address: row.address ?? "",
    way: row.way,
    requestId: row.requestId ?? "",
    result: row.result,
    version: String(row.version ?? 0n),
    code: row.code ?? "",
    reason: row.reason ?? "",
    refs: row.refs.map(([name, oldValue, newValue, refused]) => ({
      name,
      oldValue: oldValue ?? "",
      newValue: newValue ?? "",
      refused: refused ?? "",
    })),
    refsTotal: row.refsTotal,
    duration: toDuration(row.durationMs),
    waits: {
      host: toDuration(row.hostMs),
      database: toDuration(row.databaseMs),
      copies: toDuration(row.copiesMs),
      writers: toDuration(row.writersMs),
      reads: toDuration(row.readsMs),
      hooks: toDuration(row.hooksMs),
    },
  };
}
