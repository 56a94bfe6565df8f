import { repositoryName } from "../../domain.ts";
import type { BumpVersionRequest__Output as Request } from "../../generated/lockstep/v1/BumpVersionRequest.ts";
import type { BumpVersionResponse as Response } from "../../generated/lockstep/v1/BumpVersionResponse.ts";
import { bumpWrite } from "../../sync/bump-version.ts";
import type { SyncContext } from "../../sync/context.ts";

export const bumpVersion =
  (context: SyncContext) =>
  async (request: Request): Promise<Response> => {
    const landed = await bumpWrite(context, repositoryName(request.repository), request.token);
    return { ...landed, version: String(landed.version) };
  };
