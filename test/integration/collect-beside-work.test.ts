// Unreachable objects stay while a push, a session, a catch-up or a read may need them.
import { describe, expect, it, vi } from "vitest";
import { listedPacks } from "../../src/git/packs/multi-pack-index.ts";
import { KeptReader } from "../../src/git/reading/kept-reader.ts";
import { isWholeNearby } from "../../src/git/reading/short-walk.ts";
import { WAITS } from "../../src/waits.ts";
import { APP, AT_ONCE, expectSound, gc, has, hold, packDirectory, packsOf } from "../support/collecting.ts";
import { abortSession, beginSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";
import { collectedOnce, withGone } from "../support/unreachable-objects.ts";
import { isBump } from "../support/write-rows.ts";

describe("unreachable objects", () => {
  it("a git that has read unreachable objects before does not find them once they went", async () => {
    const { device, gone } = await collectedOnce();
    const [main, replica] = [await device.git(APP, ["rev-parse", "main"]), device.replica(APP)];
    const keptReader = new KeptReader(100_000);
    Object.assign(replica, { keptReader });
    const reader = keptReader.get(device.context.git, replica.gitDir);
    expect(await isWholeNearby(reader, [gone], [main])).toBe(true);
    expect(await gc(device, { all: true, ...AT_ONCE })).toMatchObject({ postponed: "" });
    const tree = await device.git(APP, ["rev-parse", "main^{tree}"]);
    const person = "Ada <ada@example.com> 1 +0000";
    const content = `tree ${tree}\nparent ${gone}\nauthor ${person}\ncommitter ${person}\n\nchild\n`;
    const child = await device.git(APP, ["hash-object", "-t", "commit", "-w", "--stdin"], content);
    expect(await device.push(APP, [change("main", main, child)])).toEqual({
      "refs/heads/main": expect.stringContaining("missing necessary objects"),
    });
    keptReader.end();
    await expectSound(device);
  });

  it("stay when a push makes them reachable at the moment in which they are to go", async () => {
    const { cluster, device, gone } = await collectedOnce();
    const held = await hold(cluster, "gc.pruning");
    const collected = gc(device, { all: true, ...AT_ONCE });
    await held.reached();
    expect(await device.push(APP, [change("back", null, gone)])).toEqual({ "refs/heads/back": null });
    await held.release();
    expect(await collected).toMatchObject({ removedObjects: 0, postponed: "a ref has come to need one of them" });
    await expectSound(device);
    expect(await gc(device, { all: true, ...AT_ONCE })).toMatchObject({ packsAfter: 1 });
    await expectSound(device);
  });

  it("stay while a push that has found them is about to land, and after that", async () => {
    const { device, gone } = await collectedOnce();
    let goOn = () => {};
    const staging = new Promise<void>((resolve) => {
      device.onStatement = async (text, run) => {
        if (!isBump(text)) return await run();
        resolve();
        await new Promise<void>((go) => {
          goOn = go;
        });
        return await run();
      };
    });
    const pushed = device.push(APP, [change("back", null, gone)]);
    await staging;
    device.onStatement = (_, run) => run();
    const collected = gc(device, { all: true, ...AT_ONCE });
    await vi.waitFor(async () => expect(await listedPacks(packDirectory(device))).toHaveProperty("size", 1), SOON);
    expect(await has(device, gone)).toBe(true);
    goOn();
    expect(await pushed).toEqual({ "refs/heads/back": null });
    expect(await collected).toMatchObject({ removedObjects: 0 });
    await expectSound(device);
  });

  it("stay when a write needs them that has landed and is not on this disk yet", async () => {
    await using cluster = await TestCluster.make();
    const [other, device] = await cluster.pair(APP);
    const { gone, main } = await withGone(device);
    await other.read(APP);
    await gc(device);
    const held = await hold(cluster, "gc.made");
    const collected = gc(device, { all: true, ...AT_ONCE });
    await held.reached();
    const waits = WAITS as Record<string, number>;
    const { landedHereMs } = WAITS;
    waits.landedHereMs = 300;
    try {
      const { openPack } = device;
      device.openPack = () => Promise.reject(new Error("the network is down"));
      const theirs = await other.commit(APP, "theirs", { parents: [main] });
      device.onStatement = async (text, run) => {
        if (isBump(text)) await other.push(APP, [change("theirs", null, theirs)]);
        return await run();
      };
      await expect(device.push(APP, [change("back", null, gone)])).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN" });
      await held.release();
      expect(await collected).toMatchObject({ removedObjects: 0, postponed: "writes were under way all the time" });
      device.openPack = openPack;
    } finally {
      waits.landedHereMs = landedHereMs;
    }
    await vi.waitFor(() => device.read(APP), SOON);
    await expectSound(device);
  });

  it("stay while a write session has a scratch, which may build on them", async () => {
    const { device, gone } = await collectedOnce();
    const session = await beginSession(device, APP);
    expect(await gc(device, { all: true, ...AT_ONCE })).toMatchObject({ postponed: "a write session is open" });
    expect(await has(device, gone)).toBe(true);
    await abortSession(device, APP, session.token);
    expect(await gc(device, { all: true, ...AT_ONCE })).toMatchObject({ postponed: "", removedObjects: 6 });
    await expectSound(device);
  });

  it("stay on a device whose replica came into doubt meanwhile, since its log may need them", async () => {
    const { cluster, device, gone } = await collectedOnce();
    const held = await hold(cluster, "gc.pruning");
    const collected = gc(device, { all: true, ...AT_ONCE });
    await held.reached();
    await device.replica(APP).mutex.distrust();
    await held.release();
    expect(await collected).toMatchObject({ removedObjects: 0 });
    expect(await has(device, gone)).toBe(true);
  });

  it("unreachable objects that a catch-up finds here stay until its refs are there", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const { gone } = await withGone(a);
    await b.read(APP);
    // b has these objects, and no ref that reaches them.
    await b.git(APP, ["-c", "fetch.unpackLimit=1", "fetch", "-q", "--no-write-fetch-head", a.gitDir(APP), gone]);
    await gc(b);
    const made = await hold(cluster, "gc.made");
    const collected = gc(b, { all: true, ...AT_ONCE });
    await made.reached();
    const fetched = await hold(cluster, "catch-up.fetched");
    await a.push(APP, [change("back", null, gone)]);
    // Objects that were pushed here are not fetched again.
    await cluster.sql(
      "update lockstep.ref_log set device = $1 where version = (select max(version) from lockstep.ref_log)",
      [b.name],
    );
    const read = b.read(APP);
    await fetched.reached();
    expect(b.replica(APP).objects.idle).toBe(false);
    await made.release();
    await vi.waitFor(async () => expect(await packsOf(b)).toHaveLength(2), SOON);
    expect(await has(b, gone)).toBe(true);
    await fetched.release();
    await read;
    expect(await collected).toMatchObject({ removedObjects: 0 });
    await expectSound(b);
  });
});
