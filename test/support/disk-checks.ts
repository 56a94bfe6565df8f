// Two devices at version 2, and what verify and the database say of their disks.
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { verify } from "../../src/sync/operator/verify-replica.ts";
import type { TestCluster } from "./sync-cluster.ts";
import { change, SOON, type TestDevice } from "./sync-device.ts";

export const APP = "team/app";

export const check = (device: TestDevice, full = false) =>
  verify(device.context, APP, { full, signal: AbortSignal.timeout(SOON.timeout) });
export const rowOf = async (cluster: TestCluster, device: TestDevice) =>
  (await cluster.sql("select version, state from lockstep.replica where device = $1", [device.name]))[0];
const COPY = { recursive: true, verbatimSymlinks: true };

/** Both devices at version 2, and their rows too: `one` then `two` on main. */
export async function atVersion2(cluster: TestCluster) {
  const [a, b] = await cluster.pair(APP);
  const one = await a.commit(APP, "one");
  const two = await a.commit(APP, "two", { parents: [one] });
  await a.push(APP, [change("main", null, one), change("gone", null, one)]);
  const early = join(cluster.dir, "early");
  await cp(a.context.root, early, COPY);
  await a.push(APP, [change("main", one, two), change("gone", one, null)]);
  await b.read(APP);
  for (const device of [a, b])
    await vi.waitFor(async () => expect(await rowOf(cluster, device)).toMatchObject({ version: "2" }), SOON);
  return { a, b, one, two, early };
}
