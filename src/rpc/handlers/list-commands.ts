import type { ListCommandsRequest__Output as Request } from "../../generated/lockstep/v1/ListCommandsRequest.ts";
import type { ListCommandsResponse as Response } from "../../generated/lockstep/v1/ListCommandsResponse.ts";
import { deviceName, repositoryName } from "../../names.ts";
import { listCommands as list } from "../../store/command/find-commands.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { decodeCommandState, encodeCommand } from "../encode/encode-command.ts";

const PAGE = 100;
const PAGE_LIMIT = 1_000;
/** The largest bigint of PostgreSQL. The protocol's uint64 has larger values. */
const LAST_ORDINAL = (1n << 63n) - 1n;

export const listCommands =
  (context: SyncContext) =>
  async (request: Request): Promise<Response> => {
    const before = BigInt(request.before);
    const commands = await list(context.db, {
      repository: request.repository && repositoryName(request.repository),
      device: request.device && deviceName(request.device),
      states: request.states.map(decodeCommandState),
      before: before === 0n || before > LAST_ORDINAL ? null : before,
      limit: Math.min(request.limit || PAGE, PAGE_LIMIT),
    });
    return { commands: commands.map(encodeCommand) };
  };
