// Undoes versions in tests.
import { expect } from "vitest";
import type { RefUpdate } from "../../src/domain.ts";
import { undoVersion } from "../../src/sync/undo/undo-version.ts";
import type { TestCluster } from "./sync-cluster.ts";
import { change, SOON, type TestDevice } from "./sync-device.ts";

export const APP = "team/app";

export const ask = (device: TestDevice, version: number, confirmation = "", reason = "it was a mistake") =>
  undoVersion(device.context, {
    repository: APP,
    version: BigInt(version),
    confirmation,
    author: "olga",
    reason,
    signal: AbortSignal.timeout(SOON.timeout),
  });

/** As an operator does who reads what it would do and says yes. */
export async function undo(device: TestDevice, version: number) {
  const { confirmation } = await ask(device, version);
  return await ask(device, version, confirmation);
}

export const head = async (cluster: TestCluster) =>
  (await cluster.sql<{ head: string }>("select head_version as head from lockstep.repository"))[0]?.head;

export async function expectEverywhere(devices: readonly TestDevice[], refs: Record<string, string>) {
  for (const device of devices) {
    await device.read(APP);
    expect(await device.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main", ...refs });
    await device.expectInLockstep(APP);
  }
}

export const landed = (device: TestDevice, ...updates: RefUpdate[]) =>
  device.push(APP, updates).then((report) => {
    const refused = Object.values(report).filter(Boolean);
    expect(refused).toEqual([]);
  });

/** version 1: main and topic; version 2: main is forced to another history; version 3: topic is deleted. */
export async function withMistakes(cluster: TestCluster) {
  const [a, b] = await cluster.pair(APP);
  const one = await a.commit(APP, "one");
  const two = await a.commit(APP, "two", { parents: [one] });
  const forced = await a.commit(APP, "forced");
  await landed(a, change("main", null, two), change("topic", null, two));
  await b.read(APP);
  await landed(a, change("main", two, forced));
  await landed(a, change("topic", two, null));
  await b.read(APP);
  return { a, b, one, two, forced };
}
