// A device gives up its copy of a repository that it shall not hold any more.
import { existsSync } from "node:fs";
import { access, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { type CrashPoint, holdAtCrashPoints } from "../../src/crash-points.ts";
import { LockstepError } from "../../src/errors.ts";
import { listCommands } from "../../src/store/command/find-commands.ts";
import { recordVersion } from "../../src/store/replica/record-replica.ts";
import { releaseReplica } from "../../src/store/replica/release-replica.ts";
import { landWrite } from "../../src/store/write/writes.ts";
import { orderCommand } from "../../src/sync/operator/order-command.ts";
import { pair, placer, stateOf } from "../support/placing.ts";
import { runQueue } from "../support/queue.ts";
import { aside as removed } from "../support/removing.ts";
import { create, stage } from "../support/store-rows.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";

const APP = "team/app";

const place = placer(APP);

it("a copy that the placement does not name is given up, and its files are kept until their time has passed", async () => {
  await using cluster = await TestCluster.make();
  const { a, b, id } = await pair(cluster, APP);
  await place(a, [a]);
  await using _ = runQueue(b);
  await vi.waitFor(async () => expect(await stateOf(b, id)).toBe("released"), SOON);
  await vi.waitFor(async () => expect(await removed(b)).toEqual([`${id}.git`]), SOON);
  expect(existsSync(b.gitDir(APP))).toBe(false);
  await expect(b.read(APP)).rejects.toMatchObject({
    code: "REPLICA_NOT_FOUND",
    message: expect.stringContaining("use repo001"),
    details: { devices: "repo001" },
  });
  await a.expectInLockstep(APP);
  const [destroy] = await listCommands(a.context.db, { device: b.name, states: ["queued"], limit: 10 });
  expect(destroy).toMatchObject({ command: "destroy" });
  expect((destroy?.dueAt.getTime() ?? 0) - Date.now()).toBeGreaterThan(13.9 * 86_400_000);
  await cluster.sql("update lockstep.command set due_at = now() where id = $1", [destroy?.id]);
  await vi.waitFor(async () => expect(await stateOf(b, id)).toBe("destroyed"), SOON);
  await vi.waitFor(async () => expect(await removed(b)).toEqual([]), SOON);
});

it("a copy stays, and serves reads, until the others have everything", async () => {
  await using cluster = await TestCluster.make();
  const { a, b, id, one } = await pair(cluster, APP);
  const honest = a.openPack;
  a.openPack = async () => {
    throw new LockstepError("SOURCE_FAILED", "not now");
  };
  const two = await b.commit(APP, "two", { parents: [one] });
  await b.push(APP, [change("main", one, two)]);
  await place(a, [a]);
  await using queue = runQueue(b);
  await vi.waitFor(async () => {
    const [release] = await listCommands(b.context.db, { device: b.name, limit: 1 });
    expect(release).toMatchObject({
      command: "release",
      state: "queued",
      lastError: expect.stringContaining("repo001 do"),
    });
  }, SOON);
  expect((await b.read(APP)).version).toBe(2n);
  expect(await stateOf(b, id)).toBe("active");
  a.openPack = honest;
  await a.read(APP);
  await cluster.sql("update lockstep.command set due_at = now() where state = 'queued'");
  queue.wakeups.wake();
  await vi.waitFor(async () => expect(await stateOf(b, id)).toBe("released"), SOON);
  expect((await a.read(APP)).version).toBe(2n);
});

it("a copy that was given up and is placed there again takes its files back", async () => {
  await using cluster = await TestCluster.make();
  const { a, b, id, one } = await pair(cluster, APP);
  await place(a, [a]);
  await using _ = runQueue(b);
  await vi.waitFor(async () => expect(await removed(b)).toEqual([`${id}.git`]), SOON);
  await place(a, [a, b]);
  expect(await stateOf(b, id)).toBe("pending");
  b.packRequests.length = 0;
  expect((await b.read(APP)).version).toBe(1n);
  expect(b.packRequests).toEqual([]);
  expect(await removed(b)).toEqual([]);
  await b.expectInLockstep(APP);
  // What the first release ordered frees nothing now, even after a second one.
  await place(a, [a]);
  await vi.waitFor(async () => expect(await stateOf(b, id)).toBe("released"), SOON);
  const [second, first] = await listCommands(a.context.db, { device: b.name, states: ["queued"], limit: 10 });
  expect([first?.command, second?.command]).toEqual(["destroy", "destroy"]);
  await cluster.sql("update lockstep.command set due_at = now() where id = $1", [first?.id]);
  await vi.waitFor(async () => {
    const [row] = await cluster.sql("select state, outcome from lockstep.command where id = $1", [first?.id]);
    expect(row).toEqual({ state: "done", outcome: { destroyed: false } });
  }, SOON);
  expect(await removed(b)).toEqual([`${id}.git`]);
  expect(await b.has(APP, one).catch(() => false)).toBe(false);
});

it.each<CrashPoint>(["release.recorded", "release.moved", "destroy.recorded"])(
  "all who come to a copy that is placed on the device again share its mutex, also while the device is at %s",
  async (point) => {
    await using cluster = await TestCluster.make();
    const { a, b, id, one } = await pair(cluster, APP);
    const before = b.replica(APP);
    await place(a, [a], 0);
    const hold = join(cluster.dir, point);
    await writeFile(hold, "");
    holdAtCrashPoints(cluster.dir);
    await using queue = runQueue(b);
    try {
      const reached = async () => {
        queue.wakeups.wake();
        await access(`${hold}.reached`);
      };
      await vi.waitFor(reached, SOON);
      await place(a, [a, b]);
      const read = b.read(APP);
      read.catch(() => {});
      await vi.waitFor(() => expect(before.mutex.isLocked()).toBe(true), SOON);
      expect(b.context.replicas.get({ id, name: APP, objectFormat: "sha1" })).toBe(before);
      await rm(hold);
      expect((await read).version).toBe(1n);
    } finally {
      await rm(hold, { force: true });
      holdAtCrashPoints(undefined);
    }
    expect(b.replica(APP)).toBe(before);
    expect(await b.refs(APP)).toMatchObject({ "refs/heads/main": one });
    await b.expectInLockstep(APP);
  },
);

it("a write that is under way on the device keeps the copy, and a released copy lands nothing", async () => {
  await using cluster = await TestCluster.make();
  const { a, b, id, one } = await pair(cluster, APP);
  const request = await stage(b.context.db, b.context.me, id, 1n, [create("refs/heads/topic", one)]);
  await place(a, [a]);
  expect(await releaseReplica(b.context.db, b.context.me, id, 14)).toMatchObject({
    outcome: "writing",
    changed: false,
  });
  // As if the write had been staged where the release could not see it.
  await cluster.sql("update lockstep.replica set state = 'released' where device = $1", [b.name]);
  expect(await landWrite(b.context.db, b.context.me, request)).toEqual({ outcome: "missing" });
});

it("the last copy is never released: not without another holder, and not while the database waits for an operator", async () => {
  await using cluster = await TestCluster.make();
  const { a, b, id } = await pair(cluster, APP);
  const release = async () => await releaseReplica(b.context.db, b.context.me, id, 14);
  expect(await release()).toMatchObject({ outcome: "wanted" });
  await place(a, [a]);
  await cluster.sql("update lockstep.replica set version = 0 where device = $1", [a.name]);
  expect(await release()).toMatchObject({ outcome: "needed", lacking: [a.name] });
  await cluster.sql("update lockstep.replica set version = 1, state = 'pending' where device = $1", [a.name]);
  expect(await release()).toMatchObject({ outcome: "needed", lacking: [a.name] });
  await cluster.sql("update lockstep.replica set state = 'active' where device = $1", [a.name]);
  await cluster.sql("update lockstep.device set draining_since = now() where name = $1", [a.name]);
  expect(await release()).toMatchObject({ outcome: "needed", lacking: [] });
  await cluster.sql("update lockstep.device set draining_since = null");
  await cluster.sql("update lockstep.repository set stopped = 'lost writes'");
  expect(await release()).toMatchObject({ outcome: "stopped" });
  await cluster.sql("update lockstep.repository set stopped = null");
  expect(await stateOf(b, id)).toBe("active");
  expect(await release()).toMatchObject({ outcome: "released", changed: true });
  expect(await release()).toMatchObject({ outcome: "released", changed: false });
  expect(await releaseReplica(b.context.db, { ...b.context.me, fence: 0n }, id, 14)).toMatchObject({
    outcome: "fenced",
  });
});

it("a sidecar that dies between the row and the files moves them when it is back, and makes no new copy", async () => {
  await using cluster = await TestCluster.make();
  const { a, b, id } = await pair(cluster, APP);
  await place(a, [a]);
  // The row says so, and the process is gone.
  await releaseReplica(b.context.db, b.context.me, id, 14);
  const again = await b.restart();
  expect(existsSync(again.gitDir(APP))).toBe(true);
  await using _ = runQueue(again);
  await vi.waitFor(async () => expect(await removed(again)).toEqual([`${id}.git`]), SOON);
  expect(existsSync(again.gitDir(APP))).toBe(false);
  const versionOf = () => recordVersion(again.context.db, again.context.me, id, 1n, null);
  await expect(versionOf()).rejects.toMatchObject({ code: "REPLICA_NOT_FOUND" });
  expect(await stateOf(again, id)).toBe("released");
});

it("a copy that is placed on the device again while its release begins stays, and no command fails", async () => {
  await using cluster = await TestCluster.make();
  const { a, b, id } = await pair(cluster, APP);
  await place(a, [a]);
  let isPlaced = false;
  b.onStatement = async (text, run) => {
    if (text.includes("lockstep.release_replica") && !isPlaced) {
      isPlaced = true;
      await place(a, null);
    }
    return await run();
  };
  await using _ = runQueue(b);
  await vi.waitFor(async () => {
    const [release] = await listCommands(a.context.db, { device: b.name, limit: 1 });
    expect(release).toMatchObject({ command: "release", state: "done", outcome: { released: false } });
  }, SOON);
  expect(isPlaced).toBe(true);
  expect(await stateOf(b, id)).toBe("active");
  expect((await b.read(APP)).version).toBe(1n);
});

it("a command to release a copy that shall stay fails with a sentence, and one that is placed again is superseded", async () => {
  await using cluster = await TestCluster.make();
  const { a, b } = await pair(cluster, APP);
  const asked = { repository: APP, device: b.name, command: "release", author: "ada", reason: "test" };
  {
    await using _ = runQueue(b);
    await orderCommand(a.context, asked);
    await vi.waitFor(async () => {
      const [release] = await listCommands(a.context.db, { device: b.name, limit: 1 });
      expect(release).toMatchObject({ state: "failed", lastError: expect.stringContaining("shall hold team/app") });
    }, SOON);
  }
  await place(a, [a]);
  await place(a, null);
  const [release] = await listCommands(a.context.db, { device: b.name, limit: 1 });
  expect(release).toMatchObject({ state: "superseded", lastError: expect.stringContaining("names the device again") });
});
