// What gc does with objects that no ref reaches.
import { utimes } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { listedPacks } from "../../src/git/packs/multi-pack-index.ts";
import { KeptReader } from "../../src/git/reading/kept-reader.ts";
import { isWholeNearby } from "../../src/git/reading/short-walk.ts";
import { WAITS } from "../../src/waits.ts";
import {
  APP,
  AT_ONCE,
  at,
  expectSound,
  gc,
  has,
  hold,
  one,
  packDirectory,
  packsOf,
  pushes,
} from "../support/collecting.ts";
import { abortSession, beginSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";
import { isBump } from "../support/write-rows.ts";

/** A device whose repository has `main`, and the commits of a branch that is gone. */
async function withGone(device: TestDevice): Promise<{ main: string; gone: string }> {
  const main = (await pushes(device, "main", 3)).at(-1) as string;
  const gone = (await pushes(device, "gone", 2, main)).at(-1) as string;
  await device.push(APP, [change("gone", gone, null)]);
  return { main, gone };
}

/** A device after the first gc that has found the commits of a branch that is gone. */
async function collectedOnce(): Promise<Awaited<ReturnType<typeof one>> & { gone: string }> {
  const { cluster, device } = await one();
  await cluster.create(APP, [device]);
  const { gone } = await withGone(device);
  await gc(device);
  return { cluster, device, gone };
}

const DAY = 24 * 60 * 60 * 1000;
/** Sets the times of all packs to a year ago. */
async function age(device: TestDevice): Promise<void> {
  const then = new Date(Date.now() - 365 * 24 * 60 * 60 * 1000);
  for (const file of await packsOf(device)) await utimes(join(packDirectory(device), file), then, then);
}

describe("unreachable objects", () => {
  it("stay for two weeks from the gc that found them, however old their pack is", async () => {
    const { cluster, device } = await one();
    await cluster.create(APP, [device]);
    const { gone } = await withGone(device);
    await age(device);
    await gc(device, { all: true });
    expect(await packsOf(device, ".mtimes")).toHaveLength(1);
    expect(await gc(device, { all: true })).toMatchObject({ removedObjects: 0 });
    expect(await has(device, gone)).toBe(true);
    await expectSound(device);
  });

  it("go when that time has passed, and nothing else goes", async () => {
    const { cluster, device } = await one();
    await cluster.create(APP, [device]);
    const { gone, main } = await withGone(device);
    await gc(device);
    expect(await gc(device, { all: true, ...AT_ONCE })).toMatchObject({
      packsAfter: 1,
      removedObjects: 6,
      postponed: "",
    });
    expect(await has(device, gone)).toBe(false);
    expect(await has(device, main)).toBe(true);
    await expectSound(device);
  });

  it("stay when a younger one needs them", async () => {
    const { cluster, device } = await one();
    await cluster.create(APP, [device]);
    const { gone } = await withGone(device);
    await at(-20 * DAY, () => gc(device));
    const young = await device.commit(APP, "young", { parents: [gone] });
    await gc(device, { all: true });
    expect(await has(device, young)).toBe(true);
    expect(await has(device, gone)).toBe(true);
  });

  it.each([
    [13, true],
    [15, false],
  ])("that gc found %i days ago: they are still there: %s", async (days, stay) => {
    const { cluster, device } = await one();
    await cluster.create(APP, [device]);
    const { gone } = await withGone(device);
    await at(-days * DAY, () => gc(device));
    await gc(device, { all: true });
    expect(await has(device, gone)).toBe(stay);
  });

  it("come back with a ref: then they belong to everything else again", async () => {
    const { device, gone } = await collectedOnce();
    expect(await device.push(APP, [change("back", null, gone)])).toEqual({ "refs/heads/back": null });
    expect(await gc(device, { all: true, ...AT_ONCE })).toMatchObject({ packsAfter: 1 });
    expect(await packsOf(device, ".mtimes")).toEqual([]);
    await expectSound(device);
  });

  it("that went are not found by a git that has read them before", async () => {
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

  it("that a catch-up finds here stay until its refs are there", async () => {
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

  it("stay or go as a whole when the process dies in the moment in which they go", async () => {
    const { cluster, device, gone } = await collectedOnce();
    const held = await hold(cluster, "gc.pruning");
    const collected = gc(device, { all: true, ...AT_ONCE }).catch(() => {});
    await held.reached();
    await device.crash();
    await held.release();
    await collected;
    const next = await device.restart();
    await next.read(APP);
    await expectSound(next);
    expect(await gc(next, { all: true, ...AT_ONCE })).toMatchObject({ postponed: "" });
    expect(await has(next, gone)).toBe(false);
    await expectSound(next);
  });
});
