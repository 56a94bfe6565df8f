import type { MakeEnrollTokenRequest__Output as Request } from "../../generated/lockstep/v1/MakeEnrollTokenRequest.ts";
import type { MakeEnrollTokenResponse as Response } from "../../generated/lockstep/v1/MakeEnrollTokenResponse.ts";
import { deviceName } from "../../names.ts";
import { toTimestamp } from "../../protocol/times.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { makeToken } from "../../sync/registry/enroll-token.ts";
import { authorAndReason } from "../call/author-and-reason.ts";
import type { CallContext } from "../call/call.ts";

export const makeEnrollToken =
  (context: Pick<SyncContext, "db">) =>
  async (request: Request, { caller }: CallContext): Promise<Response> => {
    const { author } = authorAndReason({ author: request.author }, caller);
    const { token, endsAt } = await makeToken(context.db, deviceName(request.name), author);
    return { token, endsAt: toTimestamp(endsAt) };
  };
