import type { ListRemovedRepositoriesRequest__Output as Request } from "../../generated/lockstep/v1/ListRemovedRepositoriesRequest.ts";
import type { ListRemovedRepositoriesResponse as Response } from "../../generated/lockstep/v1/ListRemovedRepositoriesResponse.ts";
import { toTimestamp } from "../../protocol/times.ts";
import { listRemoved } from "../../store/repository/removals.ts";
import type { SyncContext } from "../../sync/device/context.ts";

const LIMIT = 10_000;
const DEFAULT_LIMIT = 1_000;

export const listRemovedRepositories =
  (context: SyncContext) =>
  async (request: Request): Promise<Response> => {
    const removed = await listRemoved(context.db, Math.min(LIMIT, request.limit || DEFAULT_LIMIT));
    return {
      repositories: removed.map(({ headVersion, removedAt, keepUntil, waitsFor, ...facts }) => ({
        ...facts,
        headVersion: String(headVersion),
        removedAt: toTimestamp(removedAt),
        keepUntil: toTimestamp(keepUntil),
        waitsFor: [...waitsFor],
      })),
    };
  };
