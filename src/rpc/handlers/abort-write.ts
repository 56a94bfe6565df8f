import { displayRef, repositoryName } from "../../domain.ts";
import type { AbortWriteRequest__Output as Request } from "../../generated/lockstep/v1/AbortWriteRequest.ts";
import type { AbortWriteResponse as Response } from "../../generated/lockstep/v1/AbortWriteResponse.ts";
import { abortWrite as abort } from "../../sync/abort-write.ts";
import type { SyncContext } from "../../sync/context.ts";

export const abortWrite =
  (context: SyncContext) =>
  async (request: Request): Promise<Response> => {
    const name = repositoryName(request.repository);
    const { writeId, savedRefs } = await abort(context, name, request.token, request.reason);
    return { writeId, savedRefs: savedRefs.map(displayRef) };
  };
