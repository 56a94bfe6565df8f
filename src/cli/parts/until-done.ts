// Waits for the parts of devices in an act on a repository, and says at once which device cannot do its part.
import type { Client } from "../../client/client.ts";
import { describe } from "../../errors.ts";
import type { Command__Output as QueuedCommand } from "../../generated/lockstep/v1/Command.ts";
import { linkSignals } from "../../io/signals.ts";
import { visible } from "../../io/visible.ts";
import { WAITS } from "../../waits.ts";
import type { Run } from "../terminal/command.ts";
import { Progress } from "../terminal/progress.ts";
import { type DevicePart, isResting, partOfDevice } from "../text/parts-of-devices.ts";

/**
 * Waits until all live devices have done their parts, a minute at most, and returns all parts as they are then. Says at
 * once when a device has met an error, so that somebody can mend it meanwhile.
 */
export async function untilDone(run: Run, client: Client, commands: readonly QueuedCommand[]): Promise<DevicePart[]> {
  const { host, json } = run;
  const byId = new Map(commands.map((command) => [command.id, command]));
  const open = () => [...byId.values()].filter(({ deviceLive, endedAt }) => deviceLive && endedAt === null);
  using enough = linkSignals([host.stop], WAITS.partsMs);
  using progress = new Progress(host.stderr, json);
  const say = (text: string) => {
    progress.clear();
    if (!json) host.stderr.write(`${visible(text)}\n`);
  };
  const told = new Map<string, string>();
  try {
    if (open().length > 0)
      for await (const { command } of client.stream("WatchCommands", { ids: [...byId.keys()] }, enough.signal)) {
        if (command) byId.set(command.id, command);
        for (const { device, error } of open().filter(isResting)) {
          if (told.get(device) !== error) say(`${device} could not do its part yet, and goes on trying: ${error}`);
          told.set(device, error);
        }
        if (open().length === 0) break;
        progress.wait(
          `waiting for ${open()
            .map(({ device }) => device)
            .join(", ")}`,
        );
      }
  } catch (error) {
    // The act is decided. The caller hears what is known of the devices.
    if (!enough.signal.aborted) say(`The devices are not watched any longer: ${describe(error)}`);
  }
  return [...byId.values()].map(partOfDevice);
}
