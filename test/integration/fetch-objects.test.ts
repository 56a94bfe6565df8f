import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { addAbortSignal, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, expect, it, vi } from "vitest";
import { LockstepError } from "../../src/errors.ts";
import { catchUp } from "../../src/sync/catch-up/catch-up.ts";
import { honest, type OpenPack } from "../support/device-parts.ts";
import { latch } from "../support/latch.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";

describe("sources that fail", () => {
  const half = async (cluster: TestCluster, ...request: Parameters<OpenPack>) => {
    const whole = await buffer(await honest(cluster)(...request));
    return whole.subarray(0, whole.length / 2);
  };
  const lies: Record<string, (cluster: TestCluster, ...request: Parameters<OpenPack>) => Promise<Readable>> = {
    refuses: async () => {
      throw new LockstepError("SOURCE_FAILED", "I will not");
    },
    "hangs up in the middle of a pack": async (...request) => {
      const bytes = await half(...request);
      return Readable.from(
        (async function* () {
          yield bytes;
          throw new Error("hung up");
        })(),
      );
    },
    "ends in the middle of a pack": async (...request) => Readable.from([await half(...request)]),
    "sends nothing": async () => Readable.from([]),
    "sends no pack": async () => Readable.from([Buffer.from("<html>It works!</html>")]),
    "sends a pack with a bit turned over": async (cluster, ...request) => {
      const bytes = await buffer(await honest(cluster)(...request));
      bytes.writeUInt8(bytes.readUInt8(bytes.length - 30) ^ 1, bytes.length - 30);
      return Readable.from([bytes]);
    },
    "sends a pack that lacks objects": async (cluster, peer, { wants }) => {
      const source = cluster.devices.get(peer.device)!;
      const pack = await source.git(APP, ["pack-objects", "--stdout", "-q"], `${wants.join("\n")}\n`);
      return Readable.from([Buffer.from(pack, "latin1")]);
    },
    "sends a pack of something else": async (cluster, peer) => {
      const source = cluster.devices.get(peer.device)!;
      const blob = await source.git(APP, ["hash-object", "-w", "--stdin"], "something else");
      const pack = await source.git(APP, ["pack-objects", "--stdout", "-q"], `${blob}\n`);
      return Readable.from([Buffer.from(pack, "latin1")]);
    },
  };

  it.each(Object.entries(lies))("are given up for the next when one %s, and leave nothing behind", async (_, lie) => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("main", null, one)]);
    await b.read(APP);
    const c = await cluster.start("repo003");
    await cluster.addReplica(APP, c);
    const two = await a.commit(APP, "two", { parents: [one] });
    await a.push(APP, [change("main", one, two)]);
    await c.read(APP);
    let liar: string | undefined;
    let inBetween: unknown;
    b.openPack = async (peer, ...request) => {
      liar ??= peer.device;
      if (peer.device === liar) return await lie(cluster, peer, ...request);
      // The quarantine for this source may be there already, and the empty file in it that git is about to fill.
      const left = (await b.leftovers(APP)).map((name) => name.replace(/(tmp_(objdir-lockstep|pack))[-_]\w+/g, "$1"));
      const more = left.filter(
        (name, index) =>
          !/^objects\/tmp_objdir-lockstep(\/pack(\/tmp_pack)?)?$/.test(name) || left.indexOf(name) !== index,
      );
      inBetween = { refs: await b.refs(APP), two: await b.has(APP, two), more };
      return await honest(cluster)(peer, ...request);
    };
    expect(await b.read(APP)).toMatchObject({ version: 2n });
    expect(inBetween).toEqual({
      refs: { HEAD: "ref: refs/heads/main", "refs/heads/main": one },
      two: false,
      more: [],
    });
    await b.expectInLockstep(APP);
  });

  it("are given up for the next when one sends nothing for ten seconds", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    const c = await cluster.start("repo003");
    await cluster.addReplica(APP, c);
    await c.read(APP);
    let asked = 0;
    b.openPack = async (peer, request, signal, onAlive) => {
      asked += 1;
      if (asked > 1) return await honest(cluster)(peer, request, signal, onAlive);
      const stuck = new Readable({ read() {} });
      stuck.push("PACK");
      return addAbortSignal(signal, stuck);
    };
    const { opened: begun, open: onProgress } = latch();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const signal = new AbortController().signal;
      const caughtUp = catchUp(b.context, b.replica(APP), 1n, { signal, onProgress });
      await begun;
      await vi.advanceTimersByTimeAsync(10_000);
      expect(await caughtUp).toBe(1n);
    } finally {
      vi.useRealTimers();
    }
    expect(asked).toBe(2);
    expect(JSON.stringify(b.logged)).toContain("nothing came for 10 s");
    await b.expectInLockstep(APP);
  });

  it("are hung up on when git refuses what they send", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    const streams: Readable[] = [];
    b.openPack = async () => {
      const endless = new Readable({ read: () => setImmediate(() => endless.push(Buffer.alloc(10_000, "no pack "))) });
      streams.push(endless);
      return endless;
    };
    await expect(b.read(APP)).rejects.toMatchObject({
      code: "NO_SOURCE",
      message: expect.stringContaining("index-pack"),
    });
    expect(streams.map(({ destroyed }) => destroyed)).toEqual(streams.map(() => true));
  });

  it("are all named in the error when none could send, and are asked again only after a while", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const c = await cluster.start("repo003");
    await cluster.addReplica(APP, c);
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    b.openPack = async ({ device }) => {
      throw new LockstepError("SOURCE_FAILED", `the disk of ${device} is full of cats`);
    };
    const failure = await b.read(APP).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "NO_SOURCE", details: { repository: APP, version: "1" } });
    expect(String(failure)).toContain("repo001: the disk of repo001 is full of cats");
    expect(String(failure)).toContain("repo003: the disk of repo003 is full of cats");
    const asked = b.packRequests.length;
    expect(await b.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main" });
    expect((await b.syncEvents()).at(-1)).toMatchObject({
      result: "failed",
      error: expect.stringContaining("cats"),
    });

    // However long the lines above took.
    Object.assign(b.replica(APP).failure ?? {}, { until: performance.now() + SOON.timeout });
    // The same answer at once, to all, without a question.
    for (const again of await Promise.allSettled([b.read(APP), b.read(APP)])) {
      expect(again).toMatchObject({ status: "rejected", reason: failure });
    }
    expect(b.packRequests).toHaveLength(asked);

    // Who insists is not put off.
    b.openPack = honest(cluster);
    const insist = { signal: AbortSignal.timeout(SOON.timeout), insist: true };
    expect(await catchUp(b.context, b.replica(APP), 1n, insist)).toBe(1n);
    await b.expectInLockstep(APP);
  });

  it("are tried again after the back-off", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    b.openPack = async () => {
      throw new LockstepError("SOURCE_FAILED", "not now");
    };
    await expect(b.read(APP)).rejects.toMatchObject({ code: "NO_SOURCE" });
    const asked = b.packRequests.length;
    b.openPack = honest(cluster);
    await vi.waitFor(async () => expect(await b.read(APP)).toMatchObject({ version: 1n }), SOON);
    expect(b.packRequests).toHaveLength(asked + 1);
    await b.expectInLockstep(APP);
  });

  it("are none when every other device is down", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    await a.stop();
    await expect(b.read(APP)).rejects.toMatchObject({
      code: "NO_SOURCE",
      message: expect.stringContaining("No other device that holds version 1 of team/app is live"),
    });
    expect(b.packRequests).toEqual([]);
  });
});

describe("objects that are missing here", () => {
  const text = (line: string) =>
    Array.from({ length: 400 }, (_, index) => `${index} ${line} ${index * 7919}\n`).join("");

  it("are fetched with everything else when a thin pack needs one as a base", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const one = await a.commit(APP, "one", { content: text("one") });
    await a.push(APP, [change("main", null, one)]);
    await b.read(APP);
    const blob = await b.git(APP, ["rev-parse", `${one}:file`]);
    await loseObject(b, blob);
    const two = await a.commit(APP, "two", { parents: [one], content: `${text("one")}and more` });
    await a.push(APP, [change("main", one, two)]);
    const before = b.packRequests.length;
    expect(await b.read(APP)).toMatchObject({ version: 2n });
    expect(b.packRequests.slice(before)).toEqual([
      { from: "repo001", wants: [two], haves: [one] },
      { from: "repo001", wants: [two], haves: [] },
    ]);
    expect(await b.has(APP, blob)).toBe(true);
    await b.expectInLockstep(APP);
  });

  it("are fetched with everything else when the history ends in nothing", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("main", null, one)]);
    await b.read(APP);
    await loseObject(b, one);
    const two = await a.commit(APP, "two", { parents: [one] });
    await a.push(APP, [change("main", one, two)]);
    expect(await b.read(APP)).toMatchObject({ version: 2n });
    await b.expectInLockstep(APP);
  });

  async function loseObject(device: TestDevice, id: string): Promise<void> {
    const objects = join(device.gitDir(APP), "objects");
    for (const name of await readdir(join(objects, "pack"))) {
      const path = join(objects, "pack", name);
      const bytes = await readFile(path);
      await rm(path);
      if (name.endsWith(".pack")) await device.git(APP, ["unpack-objects", "-q"], bytes);
    }
    await rm(join(objects, id.slice(0, 2), id.slice(2)));
    expect(await device.has(APP, id)).toBe(false);
  }
});
