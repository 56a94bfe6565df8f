// The repair loop and the queue of a device of the test's process.
import { RepairLoop } from "../../src/queue/repair-loop.ts";
import { runCommands } from "../../src/queue/run-commands.ts";
import { Wakeups } from "../../src/queue/wakeups.ts";
import type { TestDevice } from "./sync-device.ts";

export interface Repairing extends AsyncDisposable {
  readonly loop: RepairLoop;
  readonly wakeups: Wakeups;
}

/** Carries out the commands of a device until the result is disposed. */
export function repairing({ context }: Pick<TestDevice, "context">): Repairing {
  const wakeups = new Wakeups();
  const stop = new AbortController();
  const done = runCommands(context, wakeups, stop.signal);
  return {
    loop: new RepairLoop(context, wakeups.wake),
    wakeups,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await done;
    },
  };
}

/** Lets the repair loop of a device look at everything once, and carries the commands out until it is disposed. */
export async function repaired(device: Pick<TestDevice, "context">): Promise<Repairing> {
  const repairs = repairing(device);
  await repairs.loop.pass();
  return repairs;
}
