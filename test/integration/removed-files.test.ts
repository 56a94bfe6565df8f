// The files of a removed repository: when they go, when they stay, and which devices get none.
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { listRemoved } from "../../src/store/repository/removals.ts";
import { trimDatabase } from "../../src/sync/retention/trim-database.ts";
import { APP, aside, pushed, remove, removeOnly, restore, runQueue } from "../support/removing.ts";
import { beginSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { SOON } from "../support/sync-device.ts";

describe("a repository that is removed", () => {
  it("has its files until its time is over; then they and its rows are deleted, in pieces", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, id } = await pushed(cluster);
    const session = await beginSession(a, APP);
    // A caller may do so to the scratch of its session.
    await mkdir(join(dirname(session.path), `${randomUUID()}.git`, "lockstep.repository"), { recursive: true });
    await using queue = runQueue(a);
    await using other = runQueue(b);
    await remove(a, APP, { keepDays: 1 });
    await cluster.sql("update lockstep.write set decided_at = decided_at - interval '31 days'");
    // A command that comes too early frees nothing, and another one comes later.
    await cluster.sql("update lockstep.command set due_at = now() where command = 'destroy'");
    for (const { wakeups } of [queue, other]) wakeups.wake();
    const destroys = async () =>
      await cluster.sql(
        "select device, state, outcome, due_at > now() as later from lockstep.command where command = 'destroy' order by state, device",
      );
    await vi.waitFor(
      async () =>
        expect(await destroys()).toEqual([
          { device: a.name, state: "done", outcome: { destroyed: false }, later: false },
          { device: b.name, state: "done", outcome: { destroyed: false }, later: false },
          { device: a.name, state: "queued", outcome: null, later: true },
          { device: b.name, state: "queued", outcome: null, later: true },
        ]),
      SOON,
    );
    expect(await aside(a)).toEqual([`${id}.git`]);
    await trimDatabase(a.context);
    expect(existsSync(session.path)).toBe(true);
    expect(await listRemoved(a.context.db, 10)).toHaveLength(1);
    await cluster.sql("update lockstep.repository set keep_until = now() where removed_at is not null");
    await expect(restore(a, APP)).rejects.toMatchObject({
      message: expect.stringContaining("cannot be restored any more"),
    });
    await cluster.sql("update lockstep.command set due_at = now() where command = 'destroy' and state = 'queued'");
    for (const { wakeups } of [queue, other]) wakeups.wake();
    for (const device of [a, b]) await vi.waitFor(async () => expect(await aside(device)).toEqual([]), SOON);
    await vi.waitFor(async () => expect((await destroys()).every(({ state }) => state === "done")).toBe(true), SOON);
    expect(existsSync(session.path)).toBe(false);
    // The rows stay for a day: somebody may ask for the outcome of a write.
    await trimDatabase(a.context);
    expect(await listRemoved(a.context.db, 10)).toHaveLength(1);
    await cluster.sql(
      "update lockstep.repository set removed_at = removed_at - interval '2 days' where removed_at is not null",
    );
    await trimDatabase(a.context);
    for (const table of ["repository", "ref_log", "repository_ref", "write", "replica", "command"])
      expect(await cluster.sql(`select 1 from lockstep.${table}`)).toEqual([]);
    expect(await cluster.sql("select repository, detail from lockstep.audit where action = 'purge'")).toEqual([
      { repository: APP, detail: expect.objectContaining({ id, version: "1" }) },
    ]);
    await expect(a.read(APP)).rejects.toMatchObject({ message: expect.stringContaining("There is no repository") });
  });

  it("keeps files at a version that the database does not know, because an older copy of it was restored", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, id, one } = await pushed(cluster);
    await using queue = runQueue(b);
    await removeOnly(a, APP);
    await vi.waitFor(async () => expect(await aside(b)).toEqual([`${id}.git`]), SOON);
    // The database of before the last version, in which the repository was removed too.
    await cluster.sql("delete from lockstep.ref_log where repository_id = $1", [id]);
    await cluster.sql("update lockstep.repository set head_version = 0, keep_until = now() where id = $1", [id]);
    await cluster.sql("update lockstep.command set due_at = now() where command = 'destroy'");
    queue.wakeups.wake();
    await vi.waitFor(
      async () =>
        expect(
          await cluster.sql("select last_error from lockstep.command where command = 'destroy' and device = $1", [
            b.name,
          ]),
        ).toEqual([{ last_error: expect.stringContaining("at version 1, which the database does not know") }]),
      SOON,
    );
    expect(await b.git(join(".lockstep", "removed", id), ["rev-parse", "refs/heads/main"])).toBe(one);
    expect(await aside(b)).toEqual([`${id}.git`]);
  });

  it("keeps files whose note of the version is damaged, until somebody moves them away", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, id } = await pushed(cluster);
    await using queue = runQueue(b);
    await removeOnly(a, APP);
    await vi.waitFor(async () => expect(await aside(b)).toEqual([`${id}.git`]), SOON);
    const path = join(b.context.root, ".lockstep", "removed", `${id}.git`);
    await writeFile(join(path, "lockstep.version"), "half a line");
    await cluster.sql("update lockstep.repository set keep_until = now() where id = $1", [id]);
    await cluster.sql("update lockstep.command set due_at = now() where command = 'destroy'");
    queue.wakeups.wake();
    const destroyOf = () =>
      cluster.sql("select state, last_error from lockstep.command where command = 'destroy' and device = $1", [b.name]);
    const told = expect.stringContaining(`${path}/lockstep.version is damaged`);
    await vi.waitFor(async () => expect(await destroyOf()).toMatchObject([{ last_error: told }]), SOON);
    expect(await aside(b)).toEqual([`${id}.git`]);
    await rename(path, `${b.context.root}.elsewhere`);
    await cluster.sql("update lockstep.command set due_at = now() where command = 'destroy'");
    queue.wakeups.wake();
    await vi.waitFor(async () => expect(await destroyOf()).toMatchObject([{ state: "done" }]), SOON);
  });

  it("gets no replica on a device that joins, unless it is restored", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, id } = await pushed(cluster);
    await cluster.sql("update lockstep.repository set placement = null");
    await using _a = runQueue(a);
    await using _b = runQueue(b);
    await remove(a, APP);
    const c = await cluster.start("repo003");
    await using _c = runQueue(c);
    expect(await cluster.sql("select device from lockstep.replica where device = $1", [c.name])).toEqual([]);
    const { commands } = await restore(a, APP, { id });
    expect(commands.map(({ device, state }) => [device, state])).toEqual([a, b, c].map(({ name }) => [name, "done"]));
    expect(await c.read(APP)).toMatchObject({ version: 1n });
  });
});
