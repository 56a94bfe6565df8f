import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { startPostgres } from "../../src/demo/postgres.ts";
import { allowWrites } from "../../src/rpc/handlers/allow-writes.ts";
import { Database } from "../../src/store/database/database.ts";
import { migrate } from "../../src/store/database/migrate.ts";
import { listWriteStops, stopNewWrites, stopStagedWrites } from "../../src/store/write/write-stops.ts";
import {
  allow,
  audit,
  beforePush,
  begin,
  cluster,
  head,
  makeStoppable,
  one,
  push,
  repository,
  stop,
  switchTo,
  two,
} from "../support/stopping-writes.ts";
import { change, SOON } from "../support/sync-device.ts";

makeStoppable();

describe("where writes are stopped", () => {
  it("pushes are refused with the reason on every device, reads and other repositories go on", async () => {
    await push(one);
    expect(await stop()).toEqual([]);
    for (const device of [one, two]) {
      await device.read(repository);
      const commit = await device.commit(repository, "late");
      await expect(device.push(repository, [change("late", null, commit)])).rejects.toMatchObject({
        code: "WRITES_STOPPED",
        message: expect.stringContaining("(upgrade)"),
        details: { repository, reason: "upgrade" },
      });
      await expect(beforePush(device)).rejects.toMatchObject({ code: "WRITES_STOPPED" });
      expect(await head()).toBe(1n);
    }
    switchTo("other/app");
    await cluster.create(repository, [one, two]);
    await push(two);
    await beforePush(two);
  });

  it("sessions do not begin", async () => {
    await stop();
    await expect(begin()).rejects.toMatchObject({ code: "WRITES_STOPPED", details: { reason: "upgrade" } });
  });

  it("the operator who stopped them or another one allows them again, and both are recorded", async () => {
    await stop();
    await stop({ reason: "upgrade, part two" });
    expect(await listWriteStops(one.context.db)).toMatchObject([
      { repository, reason: "upgrade, part two", author: "olga", includesStaged: true },
    ]);
    await allow(repository);
    await push(one);
    expect(await audit()).toEqual([
      ["olga", "stop writes", repository, "upgrade"],
      ["olga", "stop writes", repository, "upgrade, part two"],
      ["olga", "allow writes", repository, "upgrade, part two"],
    ]);
  });

  it("a stop for all repositories and one for one repository are lifted separately", async () => {
    await stop({ names: [], reason: "all" });
    await stop({ reason: "one" });
    expect(await listWriteStops(one.context.db)).toMatchObject([
      { repository: null, reason: "all", includesStaged: true },
      { repository, reason: "one", includesStaged: true },
    ]);
    const answer = await allowWrites(two.context)(
      { repositories: [repository], author: "" },
      {
        caller: { role: "operator", name: "olga" },
        allowed: [],
        from: () => null,
        signal: new AbortController().signal,
      },
    );
    expect(answer.remaining).toMatchObject([{ repository: "", reason: "all" }]);
    await expect(beforePush(one)).rejects.toMatchObject({ details: { reason: "all" } });
    await allow();
    await push(one);
    expect(await audit()).toEqual([
      ["olga", "stop writes", null, "all"],
      ["olga", "stop writes", repository, "one"],
      ["operator olga", "allow writes", repository, "one"],
      ["olga", "allow writes", null, "all"],
    ]);
  });

  it("an allow for repositories whose writes are not stopped is refused, and changes nothing", async () => {
    await stop();
    const before = await audit();
    await expect(allow()).rejects.toMatchObject({
      code: "WRITES_NOT_STOPPED",
      message: expect.stringContaining("all repositories"),
    });
    const other = `${repository}-b`;
    await cluster.create(other, [one]);
    await expect(allow(repository, other)).rejects.toMatchObject({
      code: "WRITES_NOT_STOPPED",
      message: expect.stringContaining("-b are not"),
    });
    await expect(allow("no/such")).rejects.toMatchObject({ code: "REPOSITORY_NOT_FOUND" });
    await expect(stop({ names: [repository, "no/such"] })).rejects.toMatchObject({ code: "REPOSITORY_NOT_FOUND" });
    expect(await listWriteStops(one.context.db)).toHaveLength(1);
    expect(await audit()).toEqual(before);
  });
});

it("a server of the database that crashes after writes were stopped has not forgotten it", async () => {
  const dir = await mkdtemp(join(tmpdir(), "lockstep-locked-"));
  const start = () => startPostgres({ dir, env: process.env, isRoot: process.getuid?.() === 0 });
  try {
    await using first = await start();
    await migrate(first.url);
    await using db = new Database({ url: first.url, applicationName: "before" });
    await stopNewWrites(db, [null], { author: "olga", reason: "upgrade" });
    await stopStagedWrites(db, [null]);
    // An immediate shutdown: as after a crash, all it has then is its log on disk.
    process.kill(first.pid, "SIGQUIT");
    await vi.waitFor(async () => expect(() => process.kill(first.pid, 0)).toThrow(), SOON);
    await using second = await start();
    await using after = new Database({ url: second.url, applicationName: "after" });
    expect(await listWriteStops(after)).toMatchObject([{ repository: null, reason: "upgrade", includesStaged: true }]);
  } finally {
    // Where TMPDIR is private to root, the database is outside of it.
    await rm(await realpath(join(dir, "postgres")), { recursive: true, force: true });
    await rm(dir, { recursive: true, force: true });
  }
});
