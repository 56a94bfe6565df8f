import type { ListRepositoriesRequest__Output as Request } from "../../generated/lockstep/v1/ListRepositoriesRequest.ts";
import type { ListRepositoriesResponse as Response } from "../../generated/lockstep/v1/ListRepositoriesResponse.ts";
import { repositoryName } from "../../names.ts";
import { listRepositories as list } from "../../store/repository/repositories.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { likePatterns } from "../../sync/watch/name-patterns.ts";
import type { CallContext } from "../call/call.ts";
import { encodeRepository } from "../encode/encode.ts";

const PAGE = 1_000;
const PAGE_LIMIT = 10_000;

export const listRepositories =
  (context: SyncContext) =>
  async (request: Request, { allowed }: CallContext): Promise<Response> => {
    const after = request.after === "" ? "" : repositoryName(request.after);
    const found = await list(context.db, after, Math.min(request.limit || PAGE, PAGE_LIMIT), likePatterns(allowed));
    return { repositories: found.map(encodeRepository) };
  };
