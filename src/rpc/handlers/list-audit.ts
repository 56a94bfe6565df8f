import type { ListAuditRequest__Output as Request } from "../../generated/lockstep/v1/ListAuditRequest.ts";
import type { ListAuditResponse as Response } from "../../generated/lockstep/v1/ListAuditResponse.ts";
import { toMs, toTimestamp } from "../../protocol/times.ts";
import { listAudit as list } from "../../store/registry/audit.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { checkedPosition } from "../encode/request-ids.ts";

const PAGE = 1_000;
const PAGE_LIMIT = 10_000;

export const listAudit =
  (context: SyncContext) =>
  async (request: Request): Promise<Response> => {
    const rows = await list(context.db, {
      after: checkedPosition(request.after),
      since: Math.max(0, Math.floor(toMs(request.since as never) ?? 0)),
      limit: Math.min(request.limit || PAGE, PAGE_LIMIT),
      newest: request.newest,
    });
    return {
      entries: rows.map((row) => ({
        ...row,
        id: String(row.id),
        at: toTimestamp(row.at),
        repository: row.repository ?? "",
        device: row.device ?? "",
      })),
    };
  };
