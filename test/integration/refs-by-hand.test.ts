// Refs that somebody changed by hand are found and put right; what the sidecar itself changes is not taken for that.
import { describe, expect, it, vi } from "vitest";
import { APP, site } from "../support/replica-with-strangers.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

describe("refs that somebody changed by hand", () => {
  it("are those of the log again at the next read, and what they held is kept", async () => {
    await using cluster = await TestCluster.make();
    const { a, one, two } = await site(cluster);
    await a.git(APP, ["update-ref", "refs/heads/main", two]);
    expect(await a.read(APP)).toMatchObject({ fetched: true });
    await a.expectInLockstep(APP);
    expect(await a.git(APP, ["rev-parse", "refs/heads/main", "refs/lockstep/lost/1/heads/main"])).toBe(
      `${one}\n${two}`,
    );
    // It is looked at no more closely than before.
    await a.gitCommands();
    expect(await a.read(APP)).toMatchObject({ fetched: false });
    expect(await a.gitCommands()).toEqual([]);
  });

  it("put it into doubt once, also when several reads come at the same time", async () => {
    await using cluster = await TestCluster.make();
    const { a, two } = await site(cluster);
    await a.git(APP, ["update-ref", "refs/heads/main", two]);
    await Promise.all(Array.from({ length: 20 }, () => a.read(APP)));
    expect(a.logged.filter(({ msg }) => msg === "folded the log onto the refs")).toHaveLength(2);
    await a.expectInLockstep(APP);
  });
});

describe("the sidecar does not take its own changes for changes by others", () => {
  it("by pushes, catch-ups, copies, dropped writes and packing", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, one, two } = await site(cluster);
    const folds = (device: TestDevice) =>
      device.logged.filter(({ msg }) => msg === "folded the log onto the refs").length;
    const before = [folds(a), folds(b)];
    await a.push(APP, [change("main", one, two), change("topic/x", one, null), change("topic", null, two)]);
    await b.read(APP);
    await cluster.sql("update lockstep.repository set min_copies = 2");
    const three = await b.commit(APP, "three", { parents: [two] });
    await b.push(APP, [change("main", two, three)]);
    await a.read(APP);
    // Refused by git, and by the log.
    await a.push(APP, [change("main", one, two), change("main/x", null, two)]);
    const many = Array.from({ length: 1_050 }, (_, index) => change(`many/${index}`, null, three));
    await a.push(APP, many);
    await b.read(APP);
    for (const device of [a, b])
      await vi.waitFor(() => expect(device.logged.map(({ msg }) => msg)).toContain("packed loose refs"), SOON);
    for (const device of [a, b]) await device.read(APP);
    expect([folds(a), folds(b)]).toEqual(before);
    for (const device of [a, b]) await device.expectInLockstep(APP);
  });
});
