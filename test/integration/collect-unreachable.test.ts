// What gc does with objects that no ref reaches.
import { describe, expect, it } from "vitest";
import { APP, AT_ONCE, at, expectSound, gc, has, hold, one, packsOf } from "../support/collecting.ts";
import { change } from "../support/sync-device.ts";
import { age, collectedOnce, DAY, withGone } from "../support/unreachable-objects.ts";

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
  ])("unreachable objects that gc found %i days ago are still there: %s", async (days, stay) => {
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
