// Disks that are not what they were: found by themselves or by verify, made good from the other devices, and never the other way round.
import { cp, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { compareNotes } from "../../src/sync/catch-up/compare-notes.ts";
import { APP, atVersion2, check, rowOf } from "../support/disk-checks.ts";
import { repaired } from "../support/repairing.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";

const OTHER = "team/other";
const copyOf = (cluster: TestCluster) => join(cluster.dir, "copy");
const COPY = { recursive: true, verbatimSymlinks: true };

describe("a disk restored from an older copy", () => {
  it("counts for nothing at start, and is brought to the head without being asked", async () => {
    await using cluster = await TestCluster.make();
    const { a, early, one, two } = await atVersion2(cluster);
    await a.stop();
    await rm(a.context.root, { recursive: true });
    await rename(early, a.context.root);
    // A copy of a running device need not be of one moment.
    await a.git(APP, ["update-ref", "refs/heads/half", one]);
    const again = await a.restart();
    await compareNotes(again.context);
    expect(await rowOf(cluster, again)).toEqual({ version: "1", state: "pending" });
    await using _ = await repaired(again);
    await vi.waitFor(async () => expect(await rowOf(cluster, again)).toEqual({ version: "2", state: "active" }), SOON);
    await again.expectInLockstep(APP);
    expect(await again.refs(APP)).toMatchObject({ "refs/heads/main": two });
  });

  it("does not take the others back: what only the newer disk had cannot be read, and is not overwritten", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, two, early } = await atVersion2(cluster);
    const third = await a.commit(APP, "three", { parents: [two] });
    await a.push(APP, [change("main", two, third)]);
    await a.stop();
    await rename(a.context.root, copyOf(cluster));
    await cp(early, a.context.root, COPY);
    const again = await a.restart();
    for (const device of [again, b])
      await expect(device.read(APP)).rejects.toMatchObject({ code: "NO_SOURCE", details: { version: "3" } });
    expect(await b.refs(APP)).toMatchObject({ "refs/heads/main": two });
    // The newer disk is found again.
    await again.stop();
    await rm(again.context.root, { recursive: true });
    await rename(copyOf(cluster), again.context.root);
    const third_ = await again.restart();
    expect(await third_.read(APP)).toMatchObject({ version: 3n });
    await vi.waitFor(async () => expect(await b.read(APP)).toMatchObject({ version: 3n }), SOON);
    await b.expectInLockstep(APP);
  });
});

it("an emptied disk is no source and no leader, and is filled without being asked", async () => {
  await using cluster = await TestCluster.make();
  const { a, b } = await atVersion2(cluster);
  await a.stop();
  await rm(a.context.root, { recursive: true });
  const again = await a.restart();
  await compareNotes(again.context);
  expect(await rowOf(cluster, again)).toEqual({ version: "0", state: "pending" });
  expect(await rowOf(cluster, b)).toEqual({ version: "2", state: "active" });
  await using _ = await repaired(again);
  await vi.waitFor(async () => expect(await rowOf(cluster, again)).toEqual({ version: "2", state: "active" }), SOON);
  await again.expectInLockstep(APP);
  await b.expectInLockstep(APP);
});

it("a mere restart leaves what is recorded as it is", async () => {
  await using cluster = await TestCluster.make();
  const { a } = await atVersion2(cluster);
  await vi.waitFor(async () => expect(await rowOf(cluster, a)).toEqual({ version: "2", state: "active" }), SOON);
  const again = await a.restart();
  await compareNotes(again.context);
  expect(await rowOf(cluster, again)).toEqual({ version: "2", state: "active" });
});

describe("replicas whose directories were exchanged", () => {
  async function exchanged(cluster: TestCluster, alone: boolean) {
    const a = await cluster.start("repo001");
    const devices = alone ? [a] : [a, await cluster.start("repo002")];
    await cluster.create(APP, devices);
    await cluster.create(OTHER, devices);
    const app = await a.commit(APP, "app");
    const other = await a.commit(OTHER, "other");
    await a.push(APP, [change("main", null, app)]);
    await a.push(OTHER, [change("main", null, other)]);
    for (const device of devices) for (const name of [APP, OTHER]) await device.read(name);
    const aside = join(cluster.dir, "aside");
    await rename(a.gitDir(APP), aside);
    await rename(a.gitDir(OTHER), a.gitDir(APP));
    await rename(aside, a.gitDir(OTHER));
    return { a, app, other };
  }

  it.each([false, true])("are put right at the next start (the only copies: %s)", async (alone) => {
    await using cluster = await TestCluster.make();
    const { a, app, other } = await exchanged(cluster, alone);
    const again = await a.restart();
    for (const [name, commit] of [
      [APP, app],
      [OTHER, other],
      [APP, app],
    ] as const) {
      const reading = vi.waitFor(async () => expect(await again.read(name)).toMatchObject({ version: 1n }), SOON);
      // Its own directory lies at the place of the other, which has not been looked at yet.
      if (name === APP && alone && !(await exists(join(again.context.root, ".lockstep", "misplaced"))))
        await again.read(OTHER).catch(() => {});
      await reading;
      expect(await again.refs(name)).toEqual({ HEAD: "ref: refs/heads/main", "refs/heads/main": commit });
      await again.expectInLockstep(name);
    }
  });

  it("are found by verify while the sidecar runs", async () => {
    await using cluster = await TestCluster.make();
    const { a } = await exchanged(cluster, false);
    expect(await check(a)).toMatchObject({
      failure: null,
      differences: [{ name: "HEAD" }, { name: "refs/heads/main" }],
    });
    await a.expectInLockstep(APP);
  });
});

describe("refs edited by hand", () => {
  it.each(["while the sidecar runs", "while it is stopped"])(
    "%s are found by verify, and are those of the log again",
    async (when) => {
      await using cluster = await TestCluster.make();
      const { a, one, two } = await atVersion2(cluster);
      if (when !== "while the sidecar runs") await a.stop();
      await a.git(APP, ["update-ref", "-d", "refs/heads/main"]);
      await a.git(APP, ["update-ref", "refs/heads/stray", one]);
      const device = when === "while the sidecar runs" ? a : await a.restart();
      expect(await check(device)).toMatchObject({
        failure: null,
        differences: [
          { name: "refs/heads/main", onDisk: null, inLog: two },
          { name: "refs/heads/stray", onDisk: one, inLog: null },
        ],
      });
      await device.expectInLockstep(APP);
    },
  );

  it("are found by the push that meets them, which lands all the same", async () => {
    await using cluster = await TestCluster.make();
    const { a, one, two } = await atVersion2(cluster);
    await a.git(APP, ["update-ref", "refs/heads/main", one]);
    const third = await a.commit(APP, "three", { parents: [two] });
    expect(await a.push(APP, [change("main", two, third)])).toEqual({ "refs/heads/main": null });
    await a.expectInLockstep(APP);
  });
});

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
