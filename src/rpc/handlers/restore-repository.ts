import type { RestoreRepositoryRequest__Output as Request } from "../../generated/lockstep/v1/RestoreRepositoryRequest.ts";
import type { RestoreRepositoryResponse as Response } from "../../generated/lockstep/v1/RestoreRepositoryResponse.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { restoreRepository as restore } from "../../sync/naming/restore-repository.ts";
import { authorAndReason } from "../call/author-and-reason.ts";
import type { CallContext } from "../call/call.ts";
import { encodeCommand } from "../encode/encode-command.ts";

export const restoreRepository =
  (context: SyncContext) =>
  async (request: Request, { caller, signal }: CallContext): Promise<Response> => {
    const { id, name, commands } = await restore(context, { ...request, ...authorAndReason(request, caller) }, signal);
    return { repositoryId: id, repository: name, commands: commands.map(encodeCommand) };
  };
