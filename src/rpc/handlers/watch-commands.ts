import { setTimeout as sleep } from "node:timers/promises";
import { LockstepError } from "../../errors.ts";
import type { WatchCommandsRequest__Output as Request } from "../../generated/lockstep/v1/WatchCommandsRequest.ts";
import type { WatchCommandsResponse as Response } from "../../generated/lockstep/v1/WatchCommandsResponse.ts";
import { findCommand, listCommands } from "../../store/command/find-commands.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import type { CallContext } from "../call/call.ts";
import { WatchPlaces } from "../call/watch-places.ts";
import { commandId, encodeCommand } from "../encode/encode-command.ts";

const IDS_LIMIT = 1_000;
/** Each asks the database once a second at least. */
const LIMITS = { all: 64, own: 8 };
/** The pause between two looks grows from the first to the second value (milliseconds). */
const PAUSE_MS = [50, 1_000] as const;

export const watchCommands =
  (context: SyncContext, places = new WatchPlaces("calls of WatchCommands", LIMITS)) =>
  async (
    request: Request,
    send: (message: Response) => void,
    { caller, signal }: Pick<CallContext, "caller" | "signal">,
  ): Promise<void> => {
    using _ = places.take(caller);
    const ids = [...new Set(request.ids.map(commandId))];
    if (ids.length === 0 || ids.length > IDS_LIMIT)
      throw new LockstepError("INVALID_REQUEST", `\`ids\` has 1 to ${IDS_LIMIT} ids of commands, not ${ids.length}.`);
    await Promise.all(ids.slice(0, 1).map((id) => findCommand(context.db, id)));
    const told = new Map<string, string>();
    for (let pause: number = PAUSE_MS[0]; !signal.aborted; pause = Math.min(PAUSE_MS[1], pause * 1.5)) {
      const commands = await listCommands(context.db, { ids, limit: ids.length });
      for (const command of commands.map(encodeCommand)) {
        const seen = JSON.stringify([command.state, command.attempts, command.error, command.deviceLive]);
        if (told.get(command.id) !== seen) send({ command });
        told.set(command.id, seen);
      }
      if (commands.every(({ endedAt }) => endedAt !== null)) return;
      context.signal.throwIfAborted();
      await sleep(pause, undefined, { signal }).catch(() => {});
    }
  };
