// A cluster in which each device has a login of its own to the database does all that it does with one login.
import { expect, it, vi } from "vitest";
import { queryOnce } from "../../src/store/database/database.ts";
import { drainDevice, readRemainder, undrainDevice } from "../../src/store/device/devices.ts";
import { orderCommand } from "../../src/sync/operator/order-command.ts";
import { runQueue } from "../support/queue.ts";
import { repaired } from "../support/repairing.ts";
import { abortSession, beginSession, bumpSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";
import { log } from "../support/write-rows.ts";

const APP = "team/app";

async function three(): Promise<{ cluster: TestCluster; devices: [TestDevice, TestDevice, TestDevice] }> {
  const cluster = await TestCluster.make({ deviceLogins: true });
  const devices: [TestDevice, TestDevice, TestDevice] = [
    await cluster.start("repo001"),
    await cluster.start("repo002"),
    await cluster.start("repo003"),
  ];
  await cluster.createEverywhere(APP, devices);
  return { cluster, devices };
}

/** The logins with which the devices work. */
async function loginsOf(devices: readonly TestDevice[]): Promise<unknown[]> {
  return await Promise.all(
    devices.map(async ({ context }) => {
      const [row] = await queryOnce(
        context.db.work,
        "select lockstep.own_device() as device, has_table_privilege('lockstep.ref_log', 'insert') as writes",
      );
      return row;
    }),
  );
}

it("a push to any device is read on every other one, also after a crash and by the next incarnation", async () => {
  const { cluster, devices } = await three();
  await using _ = cluster;
  expect(await loginsOf(devices)).toEqual(devices.map(({ name }) => ({ device: name, writes: false })));
  let parents: string[] = [];
  for (const device of devices) {
    await device.read(APP, { forPush: true });
    const next = await device.commit(APP, device.name, { parents });
    expect(await device.push(APP, [change("main", parents[0] ?? null, next)])).toEqual({ "refs/heads/main": null });
    parents = [next];
  }
  for (const device of devices) {
    await device.read(APP);
    await device.expectInLockstep(APP);
  }
  const [a, b] = devices;
  await a.crash();
  const lost = await b.commit(APP, "while it was away", { parents });
  await b.push(APP, [change("main", parents[0] ?? null, lost)]);
  const again = await a.restart();
  await again.read(APP);
  await again.expectInLockstep(APP);
  expect((await log(cluster)).map(({ device }) => device)).toEqual(["repo001", "repo002", "repo003", "repo002"]);
});

it("a device that was killed while it wrote has its write dropped by its next incarnation", async () => {
  const { cluster, devices } = await three();
  await using _ = cluster;
  const [a] = devices;
  const one = await a.commit(APP, "one");
  a.onStatement = async (text, run) => {
    if (text.includes("lockstep.bump(")) return await new Promise(() => {});
    return await run();
  };
  void a.push(APP, [change("main", null, one)]).catch(() => {});
  await vi.waitFor(async () => expect((await a.staged()).length).toBe(1), SOON);
  await a.crash();
  const again = await a.restart();
  expect(await again.staged()).toEqual([]);
  await again.read(APP);
  await again.expectInLockstep(APP);
});

it("sessions land and are dropped on each device", async () => {
  const { cluster, devices } = await three();
  await using _ = cluster;
  const [a, b] = devices;
  const one = await a.commit(APP, "one");
  await a.push(APP, [change("main", null, one)]);
  const dropped = await beginSession(b, APP);
  await abortSession(b, APP, dropped.token, "not now");
  const begun = await beginSession(b, APP);
  await expect(beginSession(a, APP, { waitMs: 1 })).rejects.toMatchObject({ code: "TURN_HELD" });
  expect(await bumpSession(b, APP, begun.token)).toMatchObject({ version: 1n });
});

it("commands that one device orders run on the others, and the repair loop makes what is missing", async () => {
  const { cluster, devices } = await three();
  await using _ = cluster;
  const [a, , c] = devices;
  const order = { repository: APP, device: "repo003", command: "verify", author: "ada", reason: "" };
  const [command] = await orderCommand(a.context, order);
  await using __ = runQueue(c);
  await vi.waitFor(async () => {
    const rows = await cluster.sql("select state, author from lockstep.command where id = $1", [command?.id]);
    expect(rows).toEqual([{ state: "done", author: "ada" }]);
  }, SOON);
  const late = await cluster.start("repo004");
  await cluster.addReplica(APP, late);
  await using ___ = await repaired(late);
  await vi.waitFor(async () => {
    const rows = await cluster.sql("select state from lockstep.replica where device = 'repo004'");
    expect(rows).toEqual([{ state: "active" }]);
  }, SOON);
});

it("a device is drained through itself, and by no other device", async () => {
  const { cluster, devices } = await three();
  await using _ = cluster;
  const [a, b] = devices;
  const one = await a.commit(APP, "one");
  await a.push(APP, [change("main", null, one)]);
  const refused = {
    code: "PREREQUISITE_MISSING",
    message: expect.stringMatching(/acts for the device repo002 only, not for repo001.*acts for that device only/),
  };
  await expect(drainDevice(b.context.db, "repo001", "ada")).rejects.toMatchObject(refused);
  await drainDevice(a.context.db, "repo001", "ada");
  await b.read(APP);
  expect(await readRemainder(a.context.db, "repo001", 10)).toMatchObject({ onlyHere: [], writing: 0 });
  await expect(a.read(APP, { forPush: true })).rejects.toMatchObject({ code: "WRITES_ELSEWHERE" });
  await undrainDevice(a.context.db, "repo001", "ada");
  await a.read(APP, { forPush: true });
});
