// Renames repositories in tests.
import { renameRepository } from "../../src/sync/naming/rename-repository.ts";
import type { TestCluster } from "./sync-cluster.ts";
import { change, type TestDevice } from "./sync-device.ts";

export const APP = "team/app";

export const SHOP = "stores/big/shop";

/** Renames, and does not wait for the devices: none has moved anything. */
export async function renameOnly(device: TestDevice, from: string, to: string): Promise<void> {
  const renamed = new AbortController();
  const { onStatement } = device;
  device.onStatement = async (text, run) => {
    const answer = await onStatement(text, run);
    if (text.includes("lockstep.rename_repository")) renamed.abort();
    return answer;
  };
  const request = { repository: from, newName: to, author: "ada", reason: "" };
  await renameRepository(device.context, request, renamed.signal).finally(() => {
    device.onStatement = onStatement;
  });
}

/** A repository at version 1 on two devices. */
export async function pushed(cluster: TestCluster): Promise<{ a: TestDevice; b: TestDevice; one: string }> {
  const [a, b] = await cluster.pair(APP);
  const one = await a.commit(APP, "one");
  await a.push(APP, [change("main", null, one)]);
  await b.read(APP);
  return { a, b, one };
}
