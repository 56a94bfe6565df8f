import type { BumpVersionRequest__Output as Request } from "../../generated/lockstep/v1/BumpVersionRequest.ts";
import type { BumpVersionResponse as Response } from "../../generated/lockstep/v1/BumpVersionResponse.ts";
import { repositoryName } from "../../names.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { landSession } from "../../sync/session/bump-version.ts";
import type { CallContext } from "../call/call.ts";

export const bumpVersion =
  (context: SyncContext) =>
  async ({ repository, token }: Request, { caller, from }: CallContext): Promise<Response> => {
    const landed = await landSession(context, { repository: repositoryName(repository), token, caller, from: from() });
    return { ...landed, version: String(landed.version) };
  };
