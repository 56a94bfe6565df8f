import type { RemoveRepositoryRequest__Output as Request } from "../../generated/lockstep/v1/RemoveRepositoryRequest.ts";
import type { RemoveRepositoryResponse as Response } from "../../generated/lockstep/v1/RemoveRepositoryResponse.ts";
import { toTimestamp } from "../../protocol/times.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { removeRepository as remove } from "../../sync/naming/remove-repository.ts";
import { authorAndReason } from "../call/author-and-reason.ts";
import type { CallContext } from "../call/call.ts";
import { encodeCommand } from "../encode/encode-command.ts";

const KEEP_DAYS = 14;

export const removeRepository =
  (context: SyncContext) =>
  async (request: Request, { caller, signal }: CallContext): Promise<Response> => {
    const { repository, repositoryId, keepDays = KEEP_DAYS, atOnce } = request;
    const wish = { repository, repositoryId, keepDays, atOnce, ...authorAndReason(request, caller) };
    const { id, commands, keepUntil } = await remove(context, wish, signal);
    return { repositoryId: id, keepUntil: toTimestamp(keepUntil), commands: commands.map(encodeCommand) };
  };
