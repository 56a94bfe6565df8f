import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { removeRepository } from "../../src/sync/naming/remove-repository.ts";
import { restoreRepository } from "../../src/sync/naming/restore-repository.ts";
import { createRepository } from "../../src/sync/operator/create-repository.ts";
import { runQueue as runOnly } from "./queue.ts";
import type { TestCluster } from "./sync-cluster.ts";
import { change, SOON, type TestDevice } from "./sync-device.ts";

export const APP = "team/app";

/** Runs the queue of a device, which hears of new commands soon. */
export function runQueue(device: TestDevice): ReturnType<typeof runOnly> {
  const queue = runOnly(device);
  const notifying = setInterval(() => queue.wakeups.wake(), SOON.interval);
  return {
    wakeups: queue.wakeups,
    async [Symbol.asyncDispose]() {
      clearInterval(notifying);
      await queue[Symbol.asyncDispose]();
    },
  };
}

const removing = (repository: string, given: { id?: string; keepDays?: number } = {}) => ({
  repository,
  repositoryId: given.id ?? "",
  keepDays: given.keepDays ?? 14,
  author: "ada",
  reason: "",
});

export const remove = (device: TestDevice, repository: string, given: { id?: string; keepDays?: number } = {}) =>
  removeRepository(device.context, removing(repository, given), AbortSignal.timeout(SOON.timeout));

/** Removes the repository while both devices carry commands out. Neither of them does so afterwards. */
export async function removeOnBoth(a: TestDevice, b: TestDevice): Promise<void> {
  await using _a = runQueue(a);
  await using _b = runQueue(b);
  await remove(a, APP);
}

export const restore = (device: TestDevice, repository: string, given: { id?: string; as?: string } = {}) =>
  restoreRepository(
    device.context,
    { repository, repositoryId: given.id ?? "", newName: given.as ?? "", author: "ada", reason: "" },
    AbortSignal.timeout(SOON.timeout),
  );

/** Removes, and does not wait for the devices. */
export async function removeOnly(device: TestDevice, repository: string): Promise<void> {
  await removeRepository(device.context, removing(repository), AbortSignal.abort());
}

export async function restoreOnly(device: TestDevice, repository: string, newName = ""): Promise<void> {
  const request = { repository, repositoryId: "", newName, author: "ada", reason: "" };
  const asked = new AbortController();
  const { onStatement } = device;
  device.onStatement = async (text, run) => {
    const answer = await onStatement(text, run);
    if (text.includes("lockstep.restore_repository")) asked.abort();
    return answer;
  };
  await restoreRepository(device.context, request, asked.signal).finally(() => {
    device.onStatement = onStatement;
  });
}

export const make = (on: TestDevice, repository: string) =>
  createRepository(
    on.context,
    { repository, devices: [], defaultBranch: "", objectFormat: "", minCopies: 0 },
    on.context.signal,
  );

export const aside = (device: TestDevice) => readdir(join(device.context.root, ".lockstep", "removed")).catch(() => []);

export const removedError = (name: string) => ({
  code: "REPOSITORY_NOT_FOUND",
  message: expect.stringMatching(
    new RegExp(`The repository ${name} was removed at .*repo restore ${name}. brings it back until`),
  ),
  details: expect.objectContaining({
    repository: name,
    removed_at: expect.any(String),
    keep_until: expect.any(String),
  }),
});

/** A repository at version 1 on two devices. */
export async function pushed(cluster: TestCluster): Promise<{ a: TestDevice; b: TestDevice; id: string; one: string }> {
  const [a, b] = await cluster.pair(APP);
  const one = await a.commit(APP, "one");
  await a.push(APP, [change("main", null, one)]);
  await b.read(APP);
  return { a, b, id: a.replica(APP).id, one };
}
