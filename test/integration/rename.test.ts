// A repository gets another name: readers and pushers see one name or the other, and each device moves its directory.
import { existsSync } from "node:fs";
import { rename as renameOnDisk } from "node:fs/promises";
import { dirname } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { missingRepositoryError } from "../../src/store/repository/former-names.ts";
import { getWrite } from "../../src/store/write/find-write.ts";
import { compareNotes } from "../../src/sync/catch-up/compare-notes.ts";
import { renameRepository } from "../../src/sync/naming/rename-repository.ts";
import { followNames } from "../../src/sync/place/follow-name.ts";
import { trimDatabase } from "../../src/sync/retention/trim-database.ts";
import { openSession } from "../support/open-session.ts";
import { runQueue } from "../support/queue.ts";
import { APP, pushed, renameOnly, SHOP } from "../support/renaming.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const rename = (device: TestDevice, from: string, to: string) =>
  renameRepository(
    device.context,
    { repository: from, newName: to, author: "ada", reason: "" },
    AbortSignal.timeout(SOON.timeout),
  );
const renameWaits = async (cluster: TestCluster) =>
  (
    await cluster.sql(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
        and query like '%lockstep.rename_repository%'`,
    )
  ).length > 0;
const places = (cluster: TestCluster, device: TestDevice) =>
  cluster.sql("select places from lockstep.replica where device = $1 order by repository_id", [device.name]);

describe("a repository that is renamed", () => {
  it("is locked after the devices, so its rename and the removal of a device do not wait for each other", async () => {
    await using cluster = await TestCluster.make();
    const { a } = await pushed(cluster);
    await using removal = openSession(cluster.url);
    await removal.run("begin");
    await removal.run("select from lockstep.device where name = 'repo002' for update");
    const renamed = renameOnly(a, APP, SHOP);
    await vi.waitUntil(() => renameWaits(cluster), SOON);
    // Then the removal locks repositories.
    await removal.run("select from lockstep.repository where name = $1 for no key update nowait", [APP]);
    await removal.run("rollback");
    await renamed;
  });

  it("is told that the name is taken, if another one takes it at the same moment", async () => {
    await using cluster = await TestCluster.make();
    const { a } = await pushed(cluster);
    await cluster.create("other", [a]);
    await using first = openSession(cluster.url);
    await first.run("begin");
    await first.run("update lockstep.repository set name = $2 where name = $1", ["other", SHOP]);
    const renamed = expect(rename(a, APP, SHOP)).rejects.toMatchObject({ code: "REPOSITORY_EXISTS" });
    await vi.waitUntil(() => renameWaits(cluster), SOON);
    await first.run("commit");
    await renamed;
    expect(await cluster.sql("select name from lockstep.repository order by name")).toEqual([
      { name: SHOP },
      { name: APP },
    ]);
  });

  it("has its directory at the new place on every live device, at the same version, and no empty parents are left", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, one } = await pushed(cluster);
    await using _a = runQueue(a);
    await using _b = runQueue(b);
    const commands = await rename(a, APP, SHOP);
    expect(commands).toMatchObject([
      { device: a.name, command: "rename", state: "done", outcome: { from: APP, name: SHOP } },
      { device: b.name, command: "rename", state: "done" },
    ]);
    for (const device of [a, b]) {
      expect(existsSync(dirname(device.gitDir(APP)))).toBe(false);
      // Nothing was fetched, compared or made anew.
      expect(device.replica(SHOP).applied).toBe(1n);
      expect(await device.read(SHOP)).toMatchObject({ version: 1n, fetched: false });
      await device.expectInLockstep(SHOP);
      expect(device.context.replicas.findByName(APP)).toBeUndefined();
    }
    const two = await b.commit(SHOP, "two", { parents: [one] });
    expect(await b.push(SHOP, [change("main", one, two)])).toEqual({ "refs/heads/main": null });
    await a.read(SHOP);
    await a.expectInLockstep(SHOP);
    expect(await places(cluster, a)).toEqual([{ places: [] }]);
  });

  it("is found under the old name by an error that tells the new one for a day", async () => {
    await using cluster = await TestCluster.make();
    const { a, b } = await pushed(cluster);
    await renameOnly(a, APP, SHOP);
    for (const device of [a, b])
      await expect(device.read(APP)).rejects.toMatchObject({
        code: "REPOSITORY_NOT_FOUND",
        message: expect.stringContaining(`has been renamed to ${SHOP}`),
        details: { repository: APP, renamed_to: SHOP },
      });
    await cluster.sql("update lockstep.former_name set until = clock_timestamp()");
    expect((await missingRepositoryError(a.context.db, APP)).details).toEqual({ repository: APP });
    await trimDatabase(a.context);
    expect(await cluster.sql("select name from lockstep.former_name")).toEqual([]);
  });

  it("is served under the new name before the command has come, with the replica that lies at the old place", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, one } = await pushed(cluster);
    await renameOnly(a, APP, SHOP);
    b.openPack = () => Promise.reject(new Error("nothing is fetched"));
    expect(await b.read(SHOP)).toMatchObject({ version: 1n, fetched: false });
    expect(existsSync(b.gitDir(APP))).toBe(false);
    expect(await b.refs(SHOP)).toMatchObject({ "refs/heads/main": one });
    await a.read(SHOP, { forPush: true });
    const two = await a.commit(SHOP, "two", { parents: [one] });
    expect(await a.push(SHOP, [change("main", one, two)])).toEqual({ "refs/heads/main": null });
  });

  it("is served by a new incarnation, whatever step the old one was killed at", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, one } = await pushed(cluster);
    await renameOnly(a, APP, SHOP);
    await a.crash();
    let next = await b.restart();
    next.openPack = () => Promise.reject(new Error("nothing is fetched"));
    // Not moved yet.
    expect(await next.read(SHOP)).toMatchObject({ version: 1n });
    expect(await next.refs(SHOP)).toMatchObject({ "refs/heads/main": one });
    // Moved, and not recorded.
    await cluster.sql("update lockstep.replica set places = $1", [[APP]]);
    next = await next.restart();
    await followNames(next.context);
    expect(await places(cluster, next)).toContainEqual({ places: [] });
    expect(await next.read(SHOP)).toMatchObject({ version: 1n });
  });

  it("keeps the recorded version of a replica that has not moved yet, when notes are compared", async () => {
    await using cluster = await TestCluster.make();
    const { a, b } = await pushed(cluster);
    await renameOnly(a, APP, SHOP);
    const next = await b.restart();
    await compareNotes(next.context);
    const rows = await cluster.sql("select version, state from lockstep.replica where device = $1", [b.name]);
    expect(rows).toEqual([{ version: "1", state: "active" }]);
  });

  it("is moved to its newest name by a device that was away during several renames", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, one } = await pushed(cluster);
    await b.crash();
    for (const [from, to] of [
      [APP, "x"],
      ["x", `x/${APP}`],
      [`x/${APP}`, APP],
      [APP, SHOP],
    ] as const) {
      await renameOnly(a, from, to);
      await a.read(to);
    }
    const next = await b.restart();
    next.openPack = () => Promise.reject(new Error("nothing is fetched"));
    await followNames(next.context);
    expect(await next.read(SHOP)).toMatchObject({ version: 1n });
    expect(await next.refs(SHOP)).toMatchObject({ "refs/heads/main": one });
    expect(await places(cluster, b)).toEqual([{ places: [] }]);
  });

  it("finds its replica although it was killed after a move, before a further rename", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, one } = await pushed(cluster);
    await renameOnly(a, APP, "x");
    await b.crash();
    await renameOnDisk(b.gitDir(APP), b.gitDir("x"));
    await renameOnly(a, "x", SHOP);
    const next = await b.restart();
    next.openPack = () => Promise.reject(new Error("nothing is fetched"));
    expect(await next.read(SHOP)).toMatchObject({ version: 1n });
    expect(await next.refs(SHOP)).toMatchObject({ "refs/heads/main": one });
  });

  it("tells the outcome of its writes to callers that know the old name", async () => {
    await using cluster = await TestCluster.make();
    const { a } = await pushed(cluster);
    const [{ id } = { id: "" }] = await cluster.sql<{ id: string }>(
      "select id from lockstep.write where status = 'landed'",
    );
    await renameOnly(a, APP, SHOP);
    expect(await getWrite(a.context.db, APP, id)).toMatchObject({ status: "landed", repository: SHOP });
  });

  it("gets the same answer when the call is repeated", async () => {
    await using cluster = await TestCluster.make();
    const { a, b } = await pushed(cluster);
    await using _a = runQueue(a);
    await using _b = runQueue(b);
    const commands = await rename(a, APP, SHOP);
    expect((await rename(b, APP, SHOP)).map(({ id }) => id)).toEqual(commands.map(({ id }) => id));
    expect(await cluster.sql("select action, repository, detail from lockstep.audit where action = 'rename'")).toEqual([
      { action: "rename", repository: SHOP, detail: { from: APP, reason: `renamed from ${APP}` } },
    ]);
  });
});
