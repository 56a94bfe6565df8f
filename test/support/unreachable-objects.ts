// A repository whose objects no ref reaches any more.
import { utimes } from "node:fs/promises";
import { join } from "node:path";
import { APP, gc, one, packDirectory, packsOf, pushes } from "./collecting.ts";
import { change, type TestDevice } from "./sync-device.ts";

/** A device whose repository has `main`, and the commits of a branch that is gone. */
export async function withGone(device: TestDevice): Promise<{ main: string; gone: string }> {
  const main = (await pushes(device, "main", 3)).at(-1) as string;
  const gone = (await pushes(device, "gone", 2, main)).at(-1) as string;
  await device.push(APP, [change("gone", gone, null)]);
  return { main, gone };
}

/** A device after the first gc that has found the commits of a branch that is gone. */
export async function collectedOnce(): Promise<Awaited<ReturnType<typeof one>> & { gone: string }> {
  const { cluster, device } = await one();
  await cluster.create(APP, [device]);
  const { gone } = await withGone(device);
  await gc(device);
  return { cluster, device, gone };
}

export const DAY = 24 * 60 * 60 * 1000;
/** Sets the times of all packs to a year ago. */
export async function age(device: TestDevice): Promise<void> {
  const then = new Date(Date.now() - 365 * 24 * 60 * 60 * 1000);
  for (const file of await packsOf(device)) await utimes(join(packDirectory(device), file), then, then);
}
