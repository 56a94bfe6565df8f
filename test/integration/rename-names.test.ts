// Which names a repository can get, and what its old names do.
import { existsSync } from "node:fs";
import { mkdir, readFile, rename as renameOnDisk } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { scanRoot } from "../../src/sync/adopt/scan-root.ts";
import { createRepository } from "../../src/sync/operator/create-repository.ts";
import { followNames } from "../../src/sync/place/follow-name.ts";
import { plainRepository } from "../support/plain-repository.ts";
import { runQueue } from "../support/queue.ts";
import { APP, pushed, renameOnly, SHOP } from "../support/renaming.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

describe("a new name", () => {
  it.each([
    ["that a repository has", "other", "REPOSITORY_EXISTS"],
    ["that is none", "a//b", "INVALID_NAME"],
    ["that is the old one", APP, "INVALID_REQUEST"],
  ])("%s is refused", async (_, name, code) => {
    await using cluster = await TestCluster.make();
    const { a, b } = await pushed(cluster);
    await cluster.create("other", [a, b]);
    await expect(renameOnly(a, APP, name)).rejects.toMatchObject({ code });
    expect(await a.read(APP)).toMatchObject({ version: 1n });
  });

  it("is refused where a live device has an unknown directory of that name", async () => {
    await using cluster = await TestCluster.make();
    const { a, b } = await pushed(cluster);
    await plainRepository(b.gitDir(SHOP));
    await expect(renameOnly(a, APP, SHOP)).rejects.toMatchObject({
      code: "DIRECTORY_EXISTS",
      details: { device: b.name, path: b.gitDir(SHOP) },
    });
    expect(await a.read(APP)).toMatchObject({ version: 1n });
  });

  it("does not hide a directory that appears too late: the replica stays where it is until that is moved away", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, one } = await pushed(cluster);
    await b.crash();
    await renameOnly(a, APP, SHOP);
    await plainRepository(b.gitDir(SHOP));
    const next = await b.restart();
    await using queue = runQueue(next);
    queue.wakeups.wake();
    await vi.waitFor(
      async () =>
        expect(await cluster.sql("select state, last_error from lockstep.command where device = $1", [b.name])).toEqual(
          [{ state: "failed", last_error: expect.stringContaining("is not a replica made by Lockstep") }],
        ),
      SOON,
    );
    expect(await readFile(join(next.gitDir(SHOP), "HEAD"), "utf8")).toContain("ref:");
    expect(existsSync(join(next.gitDir(SHOP), "lockstep.config"))).toBe(false);
    expect(existsSync(next.gitDir(APP))).toBe(true);
    await renameOnDisk(next.gitDir(SHOP), join(cluster.dir, "away"));
    next.openPack = () => Promise.reject(new Error("nothing is fetched"));
    await vi.waitFor(async () => expect(await next.read(SHOP)).toMatchObject({ version: 1n }), SOON);
    expect(await next.refs(SHOP)).toMatchObject({ "refs/heads/main": one });
  });

  it("may be taken back at once, and then the old one leads nowhere any more", async () => {
    await using cluster = await TestCluster.make();
    const { a, b } = await pushed(cluster);
    await renameOnly(a, APP, SHOP);
    await renameOnly(b, SHOP, APP);
    for (const device of [a, b]) expect(await device.read(APP)).toMatchObject({ version: 1n, fetched: false });
    await expect(a.read(SHOP)).rejects.toMatchObject({ details: { renamed_to: APP } });
    expect(await cluster.sql("select name from lockstep.former_name")).toEqual([{ name: SHOP }]);
  });
});

describe("an old name", () => {
  const create = (on: TestDevice) =>
    createRepository(
      on.context,
      { repository: APP, devices: [], defaultBranch: "", objectFormat: "", minCopies: 0 },
      on.context.signal,
    );

  it("is free once the devices have moved, and means the new repository from then on", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, one } = await pushed(cluster);
    await renameOnly(a, APP, SHOP);
    // A device that has not moved yet would lose its replica to the new repository.
    await expect(create(a)).rejects.toMatchObject({
      code: "DIRECTORY_EXISTS",
      message: expect.stringContaining(`still has the replica of ${SHOP}`),
    });
    for (const device of [a, b]) await device.read(SHOP);
    await create(a);
    for (const device of [a, b]) {
      expect(await device.read(APP)).toMatchObject({ version: 0n });
      expect(await device.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main" });
      expect(await device.refs(SHOP)).toMatchObject({ "refs/heads/main": one });
    }
    // The new repository goes as well: the old name does not lead to the first one again.
    await renameOnly(a, APP, "third");
    await expect(a.read(APP)).rejects.toMatchObject({ details: { renamed_to: "third" } });
  });

  it("is taken by a new repository while a device is away, which then keeps both replicas apart", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, one } = await pushed(cluster);
    await b.crash();
    cluster.devices.delete(b.name);
    await renameOnly(a, APP, SHOP);
    await a.read(SHOP);
    await create(a);
    const first = await a.commit(APP, "first");
    await a.push(APP, [change("main", null, first)]);
    const next = await b.restart();
    // The new repository is touched first.
    expect(await next.read(APP)).toMatchObject({ version: 1n });
    expect(await next.refs(APP)).toMatchObject({ "refs/heads/main": first });
    next.openPack = () => Promise.reject(new Error("nothing is fetched"));
    expect(await next.read(SHOP)).toMatchObject({ version: 1n });
    expect(await next.refs(SHOP)).toMatchObject({ "refs/heads/main": one });
    await next.expectInLockstep(APP);
    await next.expectInLockstep(SHOP);
  });

  it("is exchanged with another one, though a device was away", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, one } = await pushed(cluster);
    await cluster.create("other", [a, b]);
    const other = await a.commit("other", "other");
    await a.push("other", [change("main", null, other)]);
    await b.read("other");
    await b.crash();
    for (const [from, to] of [
      [APP, "aside"],
      ["other", APP],
      ["aside", "other"],
    ] as const) {
      await renameOnly(a, from, to);
      await a.read(to);
    }
    const next = await b.restart();
    next.openPack = () => Promise.reject(new Error("nothing is fetched"));
    await followNames(next.context);
    for (const device of [a, next]) {
      expect(await device.read(APP)).toMatchObject({ version: 1n });
      expect(await device.read("other")).toMatchObject({ version: 1n });
      expect(await device.refs(APP)).toMatchObject({ "refs/heads/main": other });
      expect(await device.refs("other")).toMatchObject({ "refs/heads/main": one });
    }
  });

  it("is no unknown directory while the replica has not moved", async () => {
    await using cluster = await TestCluster.make();
    const { a, b } = await pushed(cluster);
    await renameOnly(a, APP, SHOP);
    await scanRoot(b.context);
    await mkdir(join(b.context.root, "x"), { recursive: true });
    expect(await cluster.sql("select path from lockstep.unknown_directory")).toEqual([]);
  });
});
