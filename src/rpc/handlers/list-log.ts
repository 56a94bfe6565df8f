import type { ListLogRequest__Output as Request } from "../../generated/lockstep/v1/ListLogRequest.ts";
import type { ListLogResponse as Response } from "../../generated/lockstep/v1/ListLogResponse.ts";
import { repositoryName } from "../../names.ts";
import { readLog } from "../../store/log/list-log.ts";
import { findRepository } from "../../store/repository/repositories.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { encodeEntry } from "../encode/encode.ts";

const PAGE = 20;
const PAGE_LIMIT = 1_000;
/** The largest bigint of PostgreSQL. The protocol's uint64 has larger values. */
const LAST_VERSION = (1n << 63n) - 1n;

export const listLog =
  (context: SyncContext) =>
  async (request: Request): Promise<Response> => {
    const { id, logBase } = await findRepository(context.db, repositoryName(request.repository));
    const before = BigInt(request.before);
    const entries = await readLog(
      context.db,
      id,
      before === 0n || before > LAST_VERSION ? null : before,
      Math.min(request.limit || PAGE, PAGE_LIMIT),
    );
    return {
      entries: entries.map(encodeEntry),
      logBase: String(logBase),
    };
  };
