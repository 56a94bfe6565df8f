import type { RenameRepositoryRequest__Output as Request } from "../../generated/lockstep/v1/RenameRepositoryRequest.ts";
import type { RenameRepositoryResponse as Response } from "../../generated/lockstep/v1/RenameRepositoryResponse.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { renameRepository as rename } from "../../sync/naming/rename-repository.ts";
import { authorAndReason } from "../call/author-and-reason.ts";
import type { CallContext } from "../call/call.ts";
import { encodeCommand } from "../encode/encode-command.ts";

export const renameRepository =
  (context: SyncContext) =>
  async (request: Request, { caller, signal }: CallContext): Promise<Response> => {
    const commands = await rename(context, { ...request, ...authorAndReason(request, caller) }, signal);
    return { commands: commands.map(encodeCommand) };
  };
