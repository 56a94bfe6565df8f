// Clusters whose leaders or database are lost, for the tests of thaw.
import { expect, vi } from "vitest";
import { type ThawAction, thaw } from "../../src/sync/operator/thaw.ts";
import type { TestCluster } from "./sync-cluster.ts";
import { change, SOON, type TestDevice } from "./sync-device.ts";

export const APP = "team/app";

export const REFUSED = { code: "THAW_REFUSED" };

export const ask = (device: TestDevice, action: ThawAction, confirmation = "") =>
  thaw(device.context, {
    repository: APP,
    action,
    confirmation,
    author: "olga",
    signal: AbortSignal.timeout(SOON.timeout),
  });

/** As an operator does who reads what it would do and says yes. */
export async function settle(device: TestDevice, action: ThawAction) {
  const { confirmation } = await ask(device, action);
  return await ask(device, action, confirmation);
}

/** What is kept aside on a device. */
export async function lost(device: TestDevice): Promise<Record<string, string>> {
  const out = await device.git(APP, ["for-each-ref", "--format=%(refname) %(objectname)", "refs/lockstep/lost/"]);
  return Object.fromEntries(
    out
      .split("\n")
      .filter(Boolean)
      .map((line) => line.split(" ") as [string, string]),
  );
}

export async function three(cluster: TestCluster): Promise<[TestDevice, TestDevice, TestDevice]> {
  const devices = [await cluster.start("repo001"), await cluster.start("repo002"), await cluster.start("repo003")] as [
    TestDevice,
    TestDevice,
    TestDevice,
  ];
  await cluster.create(APP, devices);
  return devices;
}

export async function commits(device: TestDevice): Promise<[string, string, string]> {
  const one = await device.commit(APP, "one");
  const two = await device.commit(APP, "two", { parents: [one] });
  return [one, two, await device.commit(APP, "three", { parents: [two] })];
}

export const recorded = async (cluster: TestCluster, device: TestDevice, version: string) =>
  await vi.waitFor(
    async () =>
      expect(await cluster.sql("select version from lockstep.replica where device = $1", [device.name])).toEqual([
        { version },
      ]),
    SOON,
  );

/** a alone holds versions 2 and 3, and is gone; b and c are at version 1. */
export async function leaderGone(cluster: TestCluster) {
  const [a, b, c] = await three(cluster);
  const [one, two, third] = await commits(a);
  await a.push(APP, [change("main", null, one), change("old", null, one)]);
  await b.read(APP);
  await c.read(APP);
  await a.push(APP, [change("main", one, two), change("new", null, two)]);
  await a.push(APP, [change("main", two, third), change("old", one, null)], { author: "grace" });
  await recorded(cluster, a, "3");
  await a.stop();
  return { a, b, c, one, two, third };
}
