// Runs the queue of commands of a device in the test's own process.
import { runCommands } from "../../src/queue/run-commands.ts";
import { Wakeups } from "../../src/queue/wakeups.ts";
import type { TestDevice } from "./sync-device.ts";

/** Runs the queue until the result is disposed. `wakeups.wake` does what a notification does. */
export function runQueue(device: TestDevice): AsyncDisposable & { readonly wakeups: Wakeups } {
  const wakeups = new Wakeups();
  const stop = new AbortController();
  const done = runCommands(device.context, wakeups, stop.signal);
  return {
    wakeups,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await done;
    },
  };
}
