// Makes webhooks and delivers their events in tests.
import { randomUUID } from "node:crypto";
import { type Hook, insertHook, listHooks } from "../../src/store/watch/hooks.ts";
import { deliverHooks } from "../../src/sync/hooks/deliver-hooks.ts";
import { beginWatch } from "../../src/sync/watch/begin-watch.ts";
import type { TestDevice } from "./sync-device.ts";

export const SECRET = "between us";

export async function addHook(device: TestDevice, url: string, given: Partial<Hook> = {}): Promise<Hook> {
  const { cursor } = await beginWatch(
    device.context,
    { cursor: "", repositories: [], visible: "landed" },
    device.context.signal,
  );
  const hook = {
    id: randomUUID(),
    url,
    repositories: [],
    visible: "landed" as const,
    author: "ada",
    cursor,
    secret: SECRET,
  };
  return await insertHook(device.context.db, { ...hook, ...given });
}

/** Delivers as `lockstep serve` does, until it is disposed of. */
export function delivering(device: TestDevice): AsyncDisposable {
  const stop = new AbortController();
  const done = deliverHooks(device.context, stop.signal);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await done;
    },
  };
}

export async function onlyHook(device: TestDevice): Promise<Hook> {
  const [hook] = await listHooks(device.context.db);
  return hook!;
}
