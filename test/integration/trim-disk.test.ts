import { access, mkdir, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { holdAtCrashPoints } from "../../src/crash-points.ts";
import { STATE_DIR } from "../../src/git/root/root-record.ts";
import { setKeep } from "../../src/store/retention/keep-times.ts";
import { listKept } from "../../src/store/retention/kept-space.ts";
import { trimDisk } from "../../src/sync/retention/trim-disk.ts";
import { abortSession, beginSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";

/** Looks once on each of so many days, beginning with day `from`. */
async function days(device: TestDevice, count: number, from = 1): Promise<void> {
  for (let day = from; day < from + count; day += 1)
    await trimDisk(device.context, new Date(day * 86_400_000).toISOString().slice(0, 10));
}

const kept = (device: TestDevice) =>
  device
    .git(APP, ["for-each-ref", "--format=%(refname)", "refs/lockstep/"])
    .then((out) => out.split("\n").filter(Boolean));
const shown = async (device: TestDevice) =>
  (await listKept(device.context.db)).filter((each) => each.device === device.name);
const notes = (device: TestDevice) => readdir(join(device.context.root, STATE_DIR, "kept")).catch(() => []);

/** A device whose replica keeps a ref of a dropped session. */
async function withDropped(cluster: TestCluster) {
  const [a, b] = await cluster.pair(APP);
  const one = await a.commit(APP, "one");
  await a.push(APP, [change("main", null, one)]);
  const session = await beginSession(a, APP);
  await writeFile(join(session.path, "refs", "heads", "topic"), `${one}\n`);
  await abortSession(a, APP, session.token);
  const ref = `refs/lockstep/dropped/${session.writeId}/heads/topic`;
  expect(await kept(a)).toEqual([ref]);
  return { a, b, one, ref };
}

describe("refs that Lockstep keeps", () => {
  it("go after so many days on which the sidecar has seen them, and are shown until then", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, ref } = await withDropped(cluster);
    await setKeep(a.context.db, "dropped", "3d", "olga");
    await days(a, 3);
    expect(await kept(a)).toEqual([ref]);
    expect(await shown(a)).toEqual([{ subject: "dropped", device: "repo001", items: 1n, bytes: 0n }]);
    await cluster.sql("update lockstep.device set removed_at = clock_timestamp() where name = 'repo001'");
    expect(await shown(a)).toEqual([]);
    await cluster.sql("update lockstep.device set removed_at = null");
    await days(a, 1, 4);
    expect(await kept(a)).toEqual([]);
    expect(await shown(a)).toEqual([]);
    await days(b, 1);
    expect(await notes(b)).toEqual([]);
  });

  it("go at the next look if the sidecar dies after it counted the day", async () => {
    await using cluster = await TestCluster.make();
    const { a } = await withDropped(cluster);
    await setKeep(a.context.db, "dropped", "1d", "olga");
    await days(a, 1);
    const hold = join(cluster.dir, "retention.noted");
    await writeFile(hold, "");
    holdAtCrashPoints(cluster.dir);
    let killed: Promise<unknown> | undefined;
    try {
      killed = days(a, 1, 2).catch(() => {});
      await vi.waitFor(() => access(`${hold}.reached`), SOON);
      await a.crash();
    } finally {
      await rm(hold);
      await killed;
      holdAtCrashPoints(undefined);
    }
    const again = await a.restart();
    await days(again, 1, 2);
    expect(await kept(again)).toEqual([]);
    expect(await again.read(APP)).toMatchObject({ version: 1n });
    await again.expectInLockstep(APP);
  });

  it("age by one day at most when the clock jumps, and not while the device is off", async () => {
    await using cluster = await TestCluster.make();
    const { a, ref } = await withDropped(cluster);
    await setKeep(a.context.db, "dropped", "2d", "olga");
    await days(a, 1, 1);
    await a.crash();
    const again = await a.restart();
    await days(again, 1, 20_000);
    for (let look = 0; look < 5; look += 1) await days(again, 1, 20_000);
    expect(await kept(again)).toEqual([ref]);
    await days(again, 1, 3);
    expect(await kept(again)).toEqual([]);
  });

  it("kept refs that somebody changed by hand stay for a year by default", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    const other = await a.commit(APP, "by hand", { parents: [one] });
    await a.push(APP, [change("main", null, one)]);
    await a.git(APP, ["update-ref", "refs/heads/main", other]);
    await a.read(APP);
    const [ref] = await kept(a);
    expect(ref).toMatch(/^refs\/lockstep\/lost\/1\//);
    await days(a, 365);
    expect(await kept(a)).toEqual([ref]);
    await days(a, 1, 366);
    expect(await kept(a)).toEqual([]);
  });

  it("lose their note only a day after the last of them is gone", async () => {
    await using cluster = await TestCluster.make();
    const { a, ref } = await withDropped(cluster);
    await days(a, 1);
    await a.git(APP, ["update-ref", "-d", ref]);
    await days(a, 2, 2);
    const [note = ""] = await notes(a);
    expect(note).toBe(a.replica(APP).id);
    const yesterday = new Date(Date.now() - 25 * 60 * 60_000);
    await utimes(join(a.context.root, STATE_DIR, "kept", note), yesterday, yesterday);
    await days(a, 1, 4);
    expect(await notes(a)).not.toContain(note);
  });

  it("refs kept for writes of other devices go, also without further writes and after a restart of the sidecar", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    await cluster.sql("update lockstep.repository set min_copies = 2");
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    const [held = ""] = await kept(b);
    expect(held).toMatch(/^refs\/lockstep\/staged\//);
    await days(b, 1);
    expect(await shown(b)).toMatchObject([{ subject: "staged", items: 1n }]);
    // As if it had come a day ago.
    const old = held.replace(/staged\/\d+/, `staged/${Date.now() - 24 * 60 * 60_000}`);
    await b.git(APP, ["update-ref", old, held]);
    await b.git(APP, ["update-ref", "-d", held]);
    await b.crash();
    const again = await b.restart();
    await days(again, 1, 2);
    expect(await kept(again)).toEqual([]);
    await again.expectInLockstep(APP);
  });
});

describe("files that were moved aside", () => {
  async function put(device: TestDevice, entry: string) {
    const path = join(device.context.root, STATE_DIR, entry);
    await mkdir(path, { recursive: true });
    await writeFile(join(path, "file"), "x".repeat(1000));
  }
  const there = async (device: TestDevice, kind: string) =>
    await readdir(join(device.context.root, STATE_DIR, kind)).catch(() => []);

  it("go after their time, are measured until then, and a deletion that was interrupted is finished", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const { id } = a.replica(APP);
    await setKeep(a.context.db, "damaged", "2d", "olga");
    await setKeep(a.context.db, "foreign", "1d", "olga");
    await put(a, `damaged/${id}`);
    await put(a, `foreign/${id}/20260101`);
    await put(a, `misplaced/${id}-new.git.doomed`);
    // The device died while it freed a copy, and the repository is placed here again.
    await put(a, `removed/${id}.git.1767225600000.doomed`);
    await days(a, 1);
    expect(await there(a, "misplaced")).toEqual([]);
    expect(await there(a, "removed")).toEqual([]);
    const of = (await shown(a)).map(({ subject, items }) => ({ subject, items }));
    expect(of).toEqual([
      { subject: "damaged", items: 1n },
      { subject: "foreign", items: 1n },
    ]);
    for (const { bytes } of await shown(a)) expect(bytes).toBeGreaterThanOrEqual(1000n);
    await days(a, 1, 2);
    expect(await there(a, "foreign")).toEqual([]);
    await days(a, 1, 3);
    expect(await there(a, "damaged")).toEqual([]);
    expect(await shown(a)).toEqual([]);
  });

  it("stay while this device has no whole replica of their repository: they may be the only copy", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const { id } = a.replica(APP);
    const unknown = "00000000-0000-4000-8000-000000000009";
    await setKeep(a.context.db, "misplaced", "1d", "olga");
    await put(a, `misplaced/${id}-broken.git`);
    await put(a, `misplaced/${unknown}.git`);
    await cluster.sql("update lockstep.replica set state = 'broken' where device = 'repo001'");
    await days(a, 5);
    expect(await there(a, "misplaced")).toHaveLength(2);
    await cluster.sql("update lockstep.replica set state = 'active' where device = 'repo001'");
    await days(a, 1, 6);
    expect(await there(a, "misplaced")).toEqual([`${unknown}.git`]);
  });
});
