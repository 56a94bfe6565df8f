import type { RenewWriteRequest__Output as Request } from "../../generated/lockstep/v1/RenewWriteRequest.ts";
import type { RenewWriteResponse as Response } from "../../generated/lockstep/v1/RenewWriteResponse.ts";
import { repositoryName } from "../../names.ts";
import { toTimestamp } from "../../protocol/times.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { renewWrite as renew } from "../../sync/session/renew-write.ts";
import type { CallContext } from "../call/call.ts";

export const renewWrite =
  (context: SyncContext) =>
  async ({ repository, token }: Request, { caller }: CallContext): Promise<Response> => {
    return { expiresAt: toTimestamp(await renew(context, { repository: repositoryName(repository), token, caller })) };
  };
