import type { GetCommandRequest__Output as Request } from "../../generated/lockstep/v1/GetCommandRequest.ts";
import type { GetCommandResponse as Response } from "../../generated/lockstep/v1/GetCommandResponse.ts";
import { findCommand } from "../../store/command/find-commands.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { commandId, encodeCommand } from "../encode/encode-command.ts";

export const getCommand =
  (context: SyncContext) =>
  async (request: Request): Promise<Response> => ({
    command: encodeCommand(await findCommand(context.db, commandId(request.id))),
  });
