import type { EnqueueCommandRequest__Output as Request } from "../../generated/lockstep/v1/EnqueueCommandRequest.ts";
import type { EnqueueCommandResponse as Response } from "../../generated/lockstep/v1/EnqueueCommandResponse.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { orderCommand } from "../../sync/operator/order-command.ts";
import { authorAndReason } from "../call/author-and-reason.ts";
import type { CallContext } from "../call/call.ts";
import { encodeCommand } from "../encode/encode-command.ts";

export const enqueueCommand =
  (context: SyncContext) =>
  async (request: Request, { caller }: CallContext): Promise<Response> => {
    const commands = await orderCommand(context, { ...request, ...authorAndReason(request, caller) });
    return { commands: commands.map(encodeCommand) };
  };
