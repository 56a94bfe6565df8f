// Runs gc on replicas of tests, and looks at what it left.
import { readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, vi } from "vitest";
import { holdAtCrashPoints } from "../../src/crash-points.ts";
import { collectGarbage, type GcOptions } from "../../src/sync/upkeep/collect-garbage.ts";
import { TestCluster } from "./sync-cluster.ts";
import { change, SOON, type TestDevice } from "./sync-device.ts";

export const APP = "team/app";

/** Every unreachable object that an earlier gc has found may go. */
export const AT_ONCE = { keepUnreachableMs: -60_000 };

export const gc = (device: TestDevice, options: Partial<GcOptions> = {}) =>
  collectGarbage(device.context, APP, { signal: device.context.signal, ...options });

export const packDirectory = (device: TestDevice) => join(device.gitDir(APP), "objects", "pack");

export async function packsOf(device: TestDevice, ending = ".pack"): Promise<string[]> {
  return (await readdir(packDirectory(device))).filter((file) => file.startsWith("pack-") && file.endsWith(ending));
}

/** Pushes commits, each with its parent, to a branch. Returns their ids. Each push leaves a pack, as an upload does. */
export async function pushes(device: TestDevice, branch: string, count: number, from: string | null = null) {
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const tip: string | null = ids.at(-1) ?? from;
    const id = await device.commit(APP, `${branch} ${index}`, { parents: tip === null ? [] : [tip] });
    const old = ids.length > 0 || branch === "main" ? tip : null;
    expect(await device.push(APP, [change(branch, old, id)])).toEqual({ [`refs/heads/${branch}`]: null });
    await device.git(APP, ["repack", "-q"]);
    await device.git(APP, ["prune-packed"]);
    ids.push(id);
  }
  return ids as [string, ...string[]];
}

export const has = async (device: TestDevice, id: string) =>
  await device.git(APP, ["cat-file", "-e", id]).then(
    () => true,
    () => false,
  );

/** Runs `work` with the clock of this process moved. */
export async function at<Result>(ms: number, work: () => Promise<Result>): Promise<Result> {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
  try {
    return await work();
  } finally {
    vi.useRealTimers();
  }
}

export async function expectSound(device: TestDevice): Promise<void> {
  await device.git(APP, ["fsck", "--full", "--strict", "--connectivity-only"]);
  await device.git(APP, ["fsck", "--full", "--strict"]);
  await device.expectInLockstep(APP);
}

/** Holds the process at a point until the result is released. */
export async function hold(cluster: TestCluster, point: string) {
  holdAtCrashPoints(cluster.dir);
  onTestFinished(() => holdAtCrashPoints(undefined));
  const path = join(cluster.dir, point);
  await writeFile(path, "");
  return {
    reached: () => vi.waitFor(() => stat(`${path}.reached`), SOON),
    release: () => rm(path),
  };
}

export async function one(): Promise<{ cluster: TestCluster; device: TestDevice }> {
  const cluster = await TestCluster.make();
  onTestFinished(() => cluster[Symbol.asyncDispose]());
  const device = await cluster.start("repo001");
  return { cluster, device };
}
