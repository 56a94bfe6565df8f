// A copy was given up, and its files cannot be moved aside: for a while, or until they are to be freed.
import { existsSync } from "node:fs";
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, it, vi } from "vitest";
import type { CommandName } from "../../src/store/command/commands.ts";
import { listCommands } from "../../src/store/command/find-commands.ts";
import { listRemoved } from "../../src/store/repository/removals.ts";
import { pair, placer, stateOf } from "../support/placing.ts";
import { plainRepository } from "../support/plain-repository.ts";
import { APP, aside, removeOnly, restoreOnly, runQueue } from "../support/removing.ts";
import { renameOnly, SHOP } from "../support/renaming.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { SOON, type TestDevice } from "../support/sync-device.ts";

const place = placer(APP);

/** Lets no files of a device be moved aside until the result is called. */
async function block(device: TestDevice): Promise<() => Promise<void>> {
  const path = join(device.context.root, ".lockstep", "removed");
  await writeFile(path, "in the way");
  return () => rm(path);
}

/** Waits until the newest such command of a device is in that state, and asks for it again and again. */
async function untilItIs(cluster: TestCluster, on: TestDevice, command: CommandName, expected: object): Promise<void> {
  await vi.waitFor(async () => {
    await cluster.sql("update lockstep.command set due_at = now() where command = $1 and state = 'queued'", [command]);
    const found = (await listCommands(on.context.db, { device: on.name, limit: 100 })).filter(
      (each) => each.command === command,
    );
    expect(found[0]).toMatchObject(expected);
  }, SOON);
}

const IN_THE_WAY = { state: "queued", lastError: expect.stringContaining("EEXIST") };

it.each([
  ["", async () => {}],
  [", although its repository was renamed meanwhile", (a: TestDevice) => renameOnly(a, APP, SHOP)],
])("is moved aside and freed once its time is over%s", async (_, meanwhile) => {
  await using cluster = await TestCluster.make();
  const { a, b, id } = await pair(cluster, APP);
  const unblock = await block(b);
  await place(a, [a]);
  await using _queue = runQueue(b);
  await untilItIs(cluster, b, "release", IN_THE_WAY);
  expect(await stateOf(b, id)).toBe("released");
  await meanwhile(a);
  // The row says that the files are freed. Then the device dies, or cannot free them.
  await untilItIs(cluster, b, "destroy", IN_THE_WAY);
  expect(await stateOf(b, id)).toBe("destroyed");
  expect(existsSync(b.gitDir(APP))).toBe(true);
  await untilItIs(cluster, b, "release", { state: "superseded" });
  await unblock();
  await untilItIs(cluster, b, "destroy", { state: "done", outcome: { destroyed: true, directories: 1 } });
  expect(existsSync(b.gitDir(APP))).toBe(false);
  expect(await aside(b)).toEqual([]);
  expect(await cluster.sql("select places from lockstep.replica where device = $1", [b.name])).toEqual([
    { places: [] },
  ]);
});

it("stays if it is in use again when its time is over", async () => {
  await using cluster = await TestCluster.make();
  const { a, b, id } = await pair(cluster, APP);
  const unblock = await block(b);
  await place(a, [a]);
  await using _queue = runQueue(b);
  await untilItIs(cluster, b, "release", IN_THE_WAY);
  await place(a, [a, b]);
  b.packRequests.length = 0;
  expect((await b.read(APP)).version).toBe(1n);
  expect(b.packRequests).toEqual([]);
  await unblock();
  await untilItIs(cluster, b, "destroy", { state: "superseded" });
  // Nor does the destroy of the first release free it after a second one.
  const [first] = await cluster.sql("select id from lockstep.command where command = 'destroy'");
  await place(a, [a]);
  await untilItIs(cluster, b, "release", { state: "done" });
  await cluster.sql("update lockstep.command set state = 'queued', ended_at = null, due_at = now() where id = $1", [
    first?.id,
  ]);
  await vi.waitFor(async () => {
    expect(await cluster.sql("select state, outcome from lockstep.command where id = $1", [first?.id])).toEqual([
      { state: "done", outcome: { destroyed: false } },
    ]);
  }, SOON);
  expect(await stateOf(b, id)).toBe("released");
  expect(await aside(b)).toEqual([`${id}.git`]);
});

it("is not looked for once the release has moved it: what lies at its place then stays", async () => {
  await using cluster = await TestCluster.make();
  const { a, b, id } = await pair(cluster, APP);
  await place(a, [a]);
  await using _queue = runQueue(b);
  await untilItIs(cluster, b, "release", { state: "done" });
  // Somebody has put it back by hand.
  await mkdir(dirname(b.gitDir(APP)), { recursive: true });
  await rename(join(b.context.root, ".lockstep", "removed", `${id}.git`), b.gitDir(APP));
  await untilItIs(cluster, b, "destroy", { state: "done", outcome: { destroyed: true, directories: 0 } });
  expect(existsSync(b.gitDir(APP))).toBe(true);
});

it("is freed, and something else that lies at its place by then stays", async () => {
  await using cluster = await TestCluster.make();
  const { a, b } = await pair(cluster, APP);
  const unblock = await block(b);
  await place(a, [a]);
  await using _queue = runQueue(b);
  await untilItIs(cluster, b, "release", IN_THE_WAY);
  await rm(b.gitDir(APP), { recursive: true });
  await plainRepository(b.gitDir(APP));
  await unblock();
  await untilItIs(cluster, b, "destroy", { state: "done", outcome: { destroyed: true, directories: 0 } });
  expect(existsSync(b.gitDir(APP))).toBe(true);
});

it("stays at its place if it has a version that the database does not know", async () => {
  await using cluster = await TestCluster.make();
  const { a, b, id } = await pair(cluster, APP);
  const unblock = await block(b);
  await removeOnly(a, APP);
  await using _queue = runQueue(b);
  await untilItIs(cluster, b, "release", IN_THE_WAY);
  // As if its time were over before the release could move it.
  const end =
    "update lockstep.command set state = 'superseded', ended_at = now() where device = $1 and command = 'release'";
  await vi.waitFor(async () => {
    expect(await cluster.sql(`${end} and state = 'queued' returning 1`, [b.name])).toHaveLength(1);
  }, SOON);
  await cluster.sql("delete from lockstep.ref_log where repository_id = $1", [id]);
  await cluster.sql("update lockstep.repository set head_version = 0, keep_until = now() where id = $1", [id]);
  await unblock();
  await untilItIs(cluster, b, "destroy", { state: "queued", lastError: expect.stringContaining(b.gitDir(APP)) });
  expect(existsSync(b.gitDir(APP))).toBe(true);
  expect(await stateOf(b, id)).toBe("released");
});

it("is moved aside if its repository is removed, restored and removed again meanwhile, and freed in the end", async () => {
  await using cluster = await TestCluster.make();
  const { a, b, id } = await pair(cluster, APP);
  const unblock = await block(b);
  await removeOnly(a, APP);
  await using _queue = runQueue(b);
  await untilItIs(cluster, b, "release", IN_THE_WAY);
  expect(await listRemoved(a.context.db, 10)).toMatchObject([{ waitsFor: [a.name, b.name] }]);
  await restoreOnly(a, APP);
  expect((await b.read(APP)).version).toBe(1n);
  await removeOnly(a, APP);
  await untilItIs(cluster, b, "release", IN_THE_WAY);
  await unblock();
  await untilItIs(cluster, b, "release", { state: "done" });
  expect(await listRemoved(a.context.db, 10)).toMatchObject([{ waitsFor: [a.name] }]);
  expect(await aside(b)).toEqual([`${id}.git`]);
  await cluster.sql("update lockstep.repository set keep_until = now() where id = $1", [id]);
  await untilItIs(cluster, b, "destroy", { state: "done", outcome: { destroyed: true, directories: 1 } });
  expect(await aside(b)).toEqual([]);
});

it("is moved aside by the removal of its repository if its release could not do it", async () => {
  await using cluster = await TestCluster.make();
  const { a, b, id } = await pair(cluster, APP);
  const unblock = await block(b);
  await place(a, [a]);
  await using _queue = runQueue(b);
  await untilItIs(cluster, b, "release", IN_THE_WAY);
  await removeOnly(a, APP);
  await unblock();
  await untilItIs(cluster, b, "release", { state: "done", arguments: { removed: expect.any(String) } });
  expect(existsSync(b.gitDir(APP))).toBe(false);
  expect(await aside(b)).toEqual([`${id}.git`]);
});

it("is not forgotten while its device cannot tell whether it lies there", async () => {
  await using cluster = await TestCluster.make();
  const { a, b, id } = await pair(cluster, APP);
  const parent = dirname(b.gitDir(APP));
  await place(a, [a]);
  await rename(parent, `${parent}-elsewhere`);
  // As with missing rights, which root always has.
  await symlink(parent, parent);
  await using _queue = runQueue(b);
  await untilItIs(cluster, b, "release", { state: "queued", lastError: expect.stringContaining("ELOOP") });
  await rm(parent);
  await rename(`${parent}-elsewhere`, parent);
  await untilItIs(cluster, b, "release", { state: "done" });
  expect(await aside(b)).toEqual([`${id}.git`]);
});
