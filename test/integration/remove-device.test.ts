// A device is drained and removed, unless the cluster still needs it.
import { expect, it } from "vitest";
import { takeOver } from "../../src/store/device/device-lease.ts";
import {
  drainDevice,
  findDevice,
  listDevices,
  readRemainder,
  removeDevice,
  undrainDevice,
} from "../../src/store/device/devices.ts";
import { listStatus } from "../../src/store/operator/status.ts";
import { listThawable } from "../../src/sync/operator/list-thawable.ts";
import { thaw } from "../../src/sync/operator/thaw.ts";
import { starting } from "../support/store-rows.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";

const APP = "team/app";

/** Three devices; the first one has a version that no other has, and is gone. */
async function headLost(cluster: TestCluster) {
  const [a, b, c] = [await cluster.start("repo001"), await cluster.start("repo002"), await cluster.start("repo003")];
  await cluster.createEverywhere(APP, [a, b, c]);
  const one = await a.commit(APP, "one");
  await a.push(APP, [change("main", null, one)]);
  await Promise.all([b.read(APP), c.read(APP)]);
  await a.push(APP, [change("main", one, await a.commit(APP, "two", { parents: [one] }))]);
  await a.stop();
  return { a, b, c };
}

it("a removal is refused while only it has the head; after a thaw nothing counts the device any more", async () => {
  await using cluster = await TestCluster.make();
  const { b } = await headLost(cluster);
  const { db } = b.context;
  await expect(removeDevice(db, "repo001", "ada")).rejects.toMatchObject({
    code: "DEVICE_NEEDED",
    message: expect.stringContaining("thaw --demote repo001 --all"),
    details: { repositories: APP },
  });
  expect(await readRemainder(db, "repo001", 10)).toMatchObject({ onlyHere: [APP], writing: 0 });
  const action = { demote: ["repo001"] };
  expect(await listThawable(b.context, action)).toEqual([APP]);
  const request = { repository: APP, action, author: "ada", signal: AbortSignal.timeout(SOON.timeout) };
  const { confirmation } = await thaw(b.context, { ...request, confirmation: "" });
  await thaw(b.context, { ...request, confirmation });
  expect(await listThawable(b.context, action)).toEqual([]);
  await cluster.devices.get("repo003")?.read(APP);
  await removeDevice(db, "repo001", "ada");
  await removeDevice(db, "repo001", "ada");
  expect((await listDevices(db)).map(({ name }) => name)).toEqual(["repo002", "repo003"]);
  expect(await listStatus(db, 10)).toEqual([]);
  expect(await findDevice(db, "repo001")).toMatchObject({ removedAt: expect.any(Date), replicas: 0n });
});

it("a device that drains keeps nothing that only it has, takes no writes, and comes back with what it missed", async () => {
  await using cluster = await TestCluster.make();
  const [a, b] = [await cluster.start("repo001"), await cluster.start("repo002")];
  await cluster.createEverywhere(APP, [a, b]);
  const one = await a.commit(APP, "one");
  await a.push(APP, [change("main", null, one)]);
  const { db } = b.context;
  await drainDevice(db, "repo001", "ada");
  await drainDevice(db, "repo001", "ada");
  expect(await readRemainder(db, "repo001", 10)).toMatchObject({ onlyHere: [APP] });
  await b.read(APP);
  expect(await readRemainder(db, "repo001", 10)).toMatchObject({ onlyHere: [], writing: 0 });
  const refused = { code: "WRITES_ELSEWHERE", message: expect.stringContaining("use repo002") };
  await expect(a.read(APP, { forPush: true })).rejects.toMatchObject(refused);
  expect((await a.read(APP)).version).toBe(1n);
  // The last device that stays cannot drain too.
  await expect(drainDevice(db, "repo002", "ada")).rejects.toMatchObject({ code: "DEVICE_NEEDED" });
  await undrainDevice(db, "repo001", "ada");
  expect(await findDevice(db, "repo001")).toMatchObject({ drainingSince: null, placing: true });
  await expect(a.read(APP, { forPush: true })).resolves.toMatchObject({ version: 1n });
});

it("a sidecar of a removed device lands nothing more, and does not start again", async () => {
  await using cluster = await TestCluster.make();
  const [a, b] = [await cluster.start("repo001"), await cluster.start("repo002")];
  await cluster.createEverywhere(APP, [a, b]);
  await removeDevice(b.context.db, "repo001", "ada");
  await expect(a.read(APP)).rejects.toMatchObject({ code: "FENCED" });
  const request = starting({ device: "repo001" });
  expect(await takeOver(b.context.db, request)).toEqual({ outcome: "removed" });
  await undrainDevice(b.context.db, "repo001", "ada");
  await cluster.start("repo001");
});
