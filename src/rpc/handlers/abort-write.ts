import { displayRef } from "../../domain.ts";
import type { AbortWriteRequest__Output as Request } from "../../generated/lockstep/v1/AbortWriteRequest.ts";
import type { AbortWriteResponse as Response } from "../../generated/lockstep/v1/AbortWriteResponse.ts";
import { repositoryName } from "../../names.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { abortWrite as abort } from "../../sync/session/abort-write.ts";
import type { CallContext } from "../call/call.ts";
import { writeIdOf } from "../encode/request-ids.ts";

export const abortWrite =
  (context: SyncContext) =>
  async ({ token, reason, ...request }: Request, { caller }: CallContext): Promise<Response> => {
    const repository = repositoryName(request.repository);
    const writeId = request.writeId === "" ? "" : writeIdOf(request.writeId);
    const aborted = await abort(context, { repository, token, writeId, reason, caller });
    return { writeId: aborted.writeId, savedRefs: aborted.savedRefs.map(displayRef) };
  };
