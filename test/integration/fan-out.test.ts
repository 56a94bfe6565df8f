import { describe, expect, it, onTestFinished, vi } from "vitest";
import { LockstepError } from "../../src/errors.ts";
import { Follower } from "../../src/sync/catch-up/follower.ts";
import { FAN_OUT } from "../../src/sync/objects/fan-out.ts";
import { WAITS } from "../../src/waits.ts";
import { honest } from "../support/device-parts.ts";
import { latch } from "../support/latch.ts";
import { soon } from "../support/soon.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";
const LONG = soon(20);

async function devices(cluster: TestCluster, count: number): Promise<TestDevice[]> {
  const started: TestDevice[] = [];
  for (let index = 1; index <= count; index += 1) {
    started.push(await cluster.start(`repo${String(index).padStart(3, "0")}`));
  }
  await cluster.create(APP, started);
  return started;
}

/** Device → the device that it has its newest version from. */
async function sources(cluster: TestCluster): Promise<Map<string, string>> {
  const rows = await cluster.sql<{ device: string; from_device: string }>(
    `select distinct on (device) device, from_device from lockstep.sync_event where result = 'ok' and version > 0
     order by device, version desc, id desc`,
  );
  return new Map(rows.map((row) => [row.device, row.from_device]));
}

/** Keeps a flight of the device in the air until the returned function is called. */
function heldUp(device: TestDevice): () => void {
  const { openPack } = device;
  const { opened: landed, open: land } = latch();
  device.openPack = async (...request) => {
    const pack = await openPack(...request);
    await landed;
    return pack;
  };
  return land;
}

/** Lets none of the devices have a pack before all of them have asked the writer. */
function askTogether(devices: readonly TestDevice[], writer: string): void {
  const waits = WAITS as Record<string, number>;
  const { sourceHedgeMs } = WAITS;
  onTestFinished(() => void Object.assign(waits, { sourceHedgeMs }));
  waits.sourceHedgeMs = LONG.timeout;
  const { opened, open } = latch();
  const asked = new Set<string>();
  for (const device of devices) {
    const { openPack } = device;
    device.openPack = async (peer, ...request) => {
      if (peer.device === writer) asked.add(device.name);
      if (asked.size === devices.length) open();
      const pack = await openPack(peer, ...request);
      await opened;
      return pack;
    };
  }
}

describe("a new version", () => {
  it("spreads over twenty devices as a tree: nobody serves more than a few, the writer neither", async () => {
    await using cluster = await TestCluster.make();
    const all = await devices(cluster, 20);
    const [writer, ...others] = all as [TestDevice, ...TestDevice[]];
    await writer.push(APP, [change("main", null, await writer.commit(APP, "one"))]);
    const { id } = writer.replica(APP);
    askTogether(others, writer.name);
    // As if one notification had reached them all.
    await Promise.all(others.map(async (device) => await new Follower(device.context).onHeads([id])));
    await vi.waitFor(() => {
      expect(others.map((device) => device.replica(APP).applied)).toEqual(others.map(() => 1n));
    }, LONG);
    await vi.waitFor(async () => expect((await sources(cluster)).size).toBe(19), LONG);

    const from = await sources(cluster);
    const served = new Map(all.map(({ name }) => [name, [...from.values()].filter((each) => each === name).length]));
    expect(served.get("repo001")).toBeGreaterThan(0);
    expect(Math.max(...served.values())).toBeLessThanOrEqual(FAN_OUT);
    // Everyone hangs below the writer.
    for (const { name } of others) {
      let [at, hops] = [name, 0];
      for (; at !== "repo001"; at = from.get(at)!) hops += 1;
      expect(hops, `${name} by way of ${from.get(name)}`).toBeLessThanOrEqual(5);
    }
    for (const device of all) await device.expectInLockstep(APP);
  });

  it("is waited for at a device that is still receiving it, by the devices that were sent there", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, c] = (await devices(cluster, 3)) as [TestDevice, TestDevice, TestDevice];
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    a.packs.open = sendingOnTo(a, "repo002", ["repo003"]);
    const land = heldUp(b);
    const slow = b.read(APP);
    await vi.waitFor(() => expect(b.packRequests).toHaveLength(1), SOON);
    const late = c.read(APP);
    await vi.waitFor(() => expect(c.packRequests.map(({ from }) => from)).toEqual(["repo001", "repo002"]), SOON);
    land();
    await Promise.all([slow, late]);
    expect(Object.fromEntries(await sources(cluster))).toMatchObject({ repo002: "repo001", repo003: "repo002" });
    await c.expectInLockstep(APP);
  });

  it("comes soon to devices that were sent to each other", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, c] = (await devices(cluster, 3)) as [TestDevice, TestDevice, TestDevice];
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    a.packs.open = sendingOnTo(a, "repo003", ["repo002"]);
    a.packs.open = sendingOnTo(a, "repo002", ["repo003"]);
    const waits: string[] = [];
    for (const device of [b, c]) {
      const open = device.packs.open.bind(device.packs);
      device.packs.open = async (asker, ...request) => {
        // Both have asked before one of them answers.
        waits.push(asker);
        await vi.waitFor(() => expect(new Set(waits).size).toBe(2), SOON);
        return await open(asker, ...request);
      };
    }
    expect(await Promise.all([b.read(APP), c.read(APP)])).toMatchObject([{ version: 1n }, { version: 1n }]);
    for (const { logged } of [b, c])
      expect(logged.map(({ err }) => err).join()).not.toContain("is still receiving this version");
    await Promise.all([b, c].map((device) => device.expectInLockstep(APP)));
  });

  it("comes from the first device after all if the devices that it names cannot send it", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, c] = (await devices(cluster, 3)) as [TestDevice, TestDevice, TestDevice];
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    a.packs.open = sendingOnTo(a, "repo002 repo009", ["repo003"]);
    await c.read(APP);
    expect(c.packRequests.map(({ from }) => from)).toEqual(["repo001", "repo002", "repo001"]);
    expect(b.packRequests).toEqual([]);
    await c.expectInLockstep(APP);
  });
});

describe("sources that are busy", () => {
  const busy = (device: string) => new LockstepError("QUEUE_FULL", `${device} sends 8 packs already`);

  it("are passed over for one that is not", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, c] = (await devices(cluster, 3)) as [TestDevice, TestDevice, TestDevice];
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    await c.read(APP);
    let refused: string | undefined;
    b.openPack = async (peer, ...request) => {
      refused ??= peer.device;
      if (peer.device === refused) throw busy(peer.device);
      return await honest(cluster)(peer, ...request);
    };
    await b.read(APP);
    expect(b.packRequests).toHaveLength(2);
    expect((await sources(cluster)).get("repo002")).not.toBe(refused);
    await b.expectInLockstep(APP);
  });

  it("make the caller come back when all of them are", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = (await devices(cluster, 3)) as [TestDevice, TestDevice, TestDevice];
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    b.openPack = async ({ device }) => {
      throw busy(device);
    };
    await expect(b.read(APP)).rejects.toMatchObject({
      code: "QUEUE_FULL",
      message: expect.stringMatching(/repo001: repo001 sends 8 packs already.*repo003/s),
    });
    b.openPack = honest(cluster);
    await vi.waitFor(async () => expect(await b.read(APP)).toMatchObject({ version: 1n }), SOON);
  });
});

/** A server that sends some devices on to others, unless they have been there. */
function sendingOnTo({ packs, name }: TestDevice, ask: string, askers: readonly string[]): TestDevice["packs"]["open"] {
  const open = packs.open.bind(packs);
  return async (asker, body, signal) => {
    if (askers.includes(asker) && (body as { visit: string }).visit === "first") {
      throw new LockstepError("QUEUE_FULL", "ask others", { details: { device: name, ask } });
    }
    return await open(asker, body, signal);
  };
}
