// Refs are synced after the pusher was told. The database gets their version after that.
import { access, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { holdAtCrashPoints } from "../../src/crash-points.ts";
import * as disk from "../../src/io/disk.ts";
import { handOver } from "../../src/sync/device/hand-over.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

vi.mock("../../src/io/disk.ts", { spy: true });

const APP = "team/app";

afterEach(() => {
  holdAtCrashPoints(undefined);
  vi.mocked(disk.syncRefs).mockReset();
});

/** Returns the version of a device's replica that the database knows. */
async function recorded(cluster: TestCluster, { name }: TestDevice): Promise<bigint> {
  const [row] = await cluster.sql(`select version from lockstep.replica where device = '${name}'`);
  return BigInt(row?.version as string);
}

/** Returns a device with the first version of a repository, which the database knows. */
async function pushedOnce(cluster: TestCluster) {
  const a = await cluster.start("repo001");
  await cluster.create(APP, [a]);
  const ids = await a.history(APP);
  await a.push(APP, [change("main", null, ids[0])]);
  await vi.waitFor(async () => expect(await recorded(cluster, a)).toBe(1n), SOON);
  return { a, ids };
}

/** Holds each sync of refs until the file, whose path it returns, is removed. */
async function holdSyncs({ dir }: TestCluster): Promise<string> {
  const hold = join(dir, "refs.syncing");
  await writeFile(hold, "");
  holdAtCrashPoints(dir);
  return hold;
}

it("a push and reads do not wait for the sync of its refs, and the record in the database does", async () => {
  await using cluster = await TestCluster.make();
  const { a, ids } = await pushedOnce(cluster);
  const hold = await holdSyncs(cluster);
  try {
    expect(await a.push(APP, [change("main", ids[0], ids[1])])).toEqual({ "refs/heads/main": null });
    expect(await a.read(APP)).toMatchObject({ version: 2n });
    await vi.waitFor(() => access(`${hold}.reached`), SOON);
    expect(await a.push(APP, [change("main", ids[1], ids[2])])).toEqual({ "refs/heads/main": null });
    expect(await recorded(cluster, a)).toBe(1n);
  } finally {
    await rm(hold);
  }
  await vi.waitFor(async () => expect(await recorded(cluster, a)).toBe(3n), SOON);
  await a.expectInLockstep(APP);
});

it("a replica whose refs cannot be synced is compared before its next read, and its version is recorded then", async () => {
  await using cluster = await TestCluster.make();
  const { a, ids } = await pushedOnce(cluster);
  const broken = vi.mocked(disk.syncRefs).mockClear().mockRejectedValueOnce(new Error("EIO: i/o error, fsync"));
  expect(await a.push(APP, [change("main", ids[0], ids[1])])).toEqual({ "refs/heads/main": null });
  await vi.waitFor(() => expect(a.replica(APP).applied).toBeUndefined(), SOON);
  expect(await recorded(cluster, a)).toBe(1n);
  const said = expect.objectContaining({ msg: "could not record the version of a replica" });
  await vi.waitFor(() => expect(a.logged).toContainEqual(said), SOON);
  expect(await a.read(APP)).toMatchObject({ version: 2n });
  await vi.waitFor(async () => expect(await recorded(cluster, a)).toBe(2n), SOON);
  const [first, ...again] = broken.mock.calls;
  expect(again.some(([, names]) => [...(first?.[1] ?? [])].every((name) => names.has(name)))).toBe(true);
  await a.expectInLockstep(APP);
});

it("the doubt about refs that cannot be synced outlasts a push that was between its refs and its note", async () => {
  await using cluster = await TestCluster.make();
  const { a, ids } = await pushedOnce(cluster);
  const replica = a.replica(APP);
  const hold = await holdSyncs(cluster);
  const between = join(cluster.dir, "push.committed");
  const sync = vi.mocked(disk.syncRefs).mockClear().mockRejectedValueOnce(new Error("EIO: i/o error, fsync"));
  await a.push(APP, [change("main", ids[0], ids[1])]);
  await vi.waitFor(() => access(`${hold}.reached`), SOON);
  await writeFile(between, "");
  const pushing = a.push(APP, [change("main", ids[1], ids[2])]);
  await vi.waitFor(() => access(`${between}.reached`), SOON);
  await rm(hold);
  await vi.waitFor(() => expect(sync).toHaveBeenCalledTimes(1), SOON);
  await rm(between);
  expect(await pushing).toEqual({ "refs/heads/main": null });
  await replica.recording.done;
  expect(replica.applied).toBeUndefined();
  expect(await recorded(cluster, a)).toBe(1n);
  expect(await a.read(APP)).toMatchObject({ version: 3n });
  expect(a.logged).toContainEqual(expect.objectContaining({ msg: "folded the log onto the refs" }));
  await a.expectInLockstep(APP);
});

it("a sidecar that stops records the version first, so its successor need not compare the refs with the log", async () => {
  await using cluster = await TestCluster.make();
  const { a, ids } = await pushedOnce(cluster);
  const hold = await holdSyncs(cluster);
  await a.push(APP, [change("main", ids[0], ids[1])]);
  await vi.waitFor(() => access(`${hold}.reached`), SOON);
  const handedOver = handOver(a.context, SOON.timeout);
  await rm(hold);
  await handedOver;
  expect(await recorded(cluster, a)).toBe(2n);
  await a.stop();
  const again = await a.restart();
  expect(await again.read(APP)).toMatchObject({ version: 2n });
  expect(again.logged).not.toContainEqual(expect.objectContaining({ msg: "folded the log onto the refs" }));
});

it("refs whose directory was moved while they were synced are synced at its new place", async () => {
  await using cluster = await TestCluster.make();
  const { a, ids } = await pushedOnce(cluster);
  const replica = a.replica(APP);
  const place = replica.gitDir;
  const sync = vi.mocked(disk.syncRefs).mockClear();
  sync.mockImplementationOnce(async () => await rename(place, `${place}.moved`));
  await a.push(APP, [change("main", ids[0], ids[1])]);
  await vi.waitFor(() => expect(sync).toHaveBeenCalledTimes(1), SOON);
  await replica.recording.done;
  expect(await recorded(cluster, a)).toBe(1n);
  await rename(`${place}.moved`, place);
  await a.push(APP, [change("topic", null, ids[2])]);
  await vi.waitFor(async () => expect(await recorded(cluster, a)).toBe(3n), SOON);
  const later = sync.mock.calls.slice(1).flatMap(([, names]) => [...names].map(String));
  expect(new Set(later)).toEqual(new Set(["refs/heads/main", "refs/heads/topic"]));
});

it("a push of so many refs that git syncs none of them is told ok when all are synced", async () => {
  await using cluster = await TestCluster.make();
  const { a, ids } = await pushedOnce(cluster);
  const hold = await holdSyncs(cluster);
  const names = Array.from({ length: 300 }, (_, index) => `many/${index}`);
  let isTold = false;
  const told = a
    .push(
      APP,
      names.map((name) => change(name, null, ids[0])),
    )
    .finally(() => {
      isTold = true;
    });
  await vi.waitFor(() => access(`${hold}.reached`), SOON);
  expect(isTold).toBe(false);
  await rm(hold);
  expect(new Set(Object.values(await told))).toEqual(new Set([null]));
  await a.expectInLockstep(APP);
});
