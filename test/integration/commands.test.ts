import { randomUUID } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { recordUnknown } from "../../src/store/adopt/unknown-directories.ts";
import {
  type Command,
  type CommandRequest,
  endCommand,
  enqueueCommand,
  type Lane,
  startCommand,
} from "../../src/store/command/commands.ts";
import { findCommand, listCommands, queueDepth } from "../../src/store/command/find-commands.ts";
import { enqueueRepairs, FIRST_REPOSITORY } from "../../src/store/command/repairs.ts";
import { queryOnce } from "../../src/store/database/database.ts";
import { database, db, makeDatabaseOfFile } from "../support/file-database.ts";
import { openSession } from "../support/open-session.ts";
import { SOON } from "../support/soon.ts";
import { incarnation, repository } from "../support/store-rows.ts";

makeDatabaseOfFile();

/** A device with a repository, and a function that asks it for commands. */
async function queue() {
  const me = await incarnation(db);
  const { id, name } = await repository(db, me);
  const enqueue = async (request: Partial<CommandRequest> = {}) =>
    await enqueueCommand(db, {
      repositoryId: id,
      repository: name,
      device: me.device,
      command: "sync",
      author: "ada",
      ...request,
    });
  const start = async (lane: Lane = "first", attempt = randomUUID(), by = me) =>
    await startCommand(db, by, lane, attempt);
  return { me, id, name, enqueue, start };
}

describe("the queue of commands", () => {
  it("hands out the commands of a device in their order, one at a time for each replica", async () => {
    const { me, enqueue, start } = await queue();
    const other = await repository(db, me);
    const first = await enqueue();
    const second = await enqueue({ command: "rename" });
    const third = await enqueue({ repositoryId: other.id, repository: other.name });
    expect((await start())?.id).toBe(first);
    // The second one is for the same replica.
    expect((await start())?.id).toBe(third);
    expect(await start()).toBeUndefined();
    expect(await endCommand(db, me, first, { state: "done" })).toBe(true);
    expect((await start())?.id).toBe(second);
  });

  it("makes one command of equal ones that nobody has started, and never joins one that was started", async () => {
    const { me, enqueue, start } = await queue();
    const first = await enqueue();
    expect(await enqueue()).toBe(first);
    expect(await enqueue({ arguments: { full: true } })).not.toBe(first);
    await start();
    const second = await enqueue();
    expect(second).not.toBe(first);
    await endCommand(db, me, first, { state: "queued", error: "a temporary error" });
    // The first one may have read the old state before it failed.
    expect(await enqueue()).toBe(second);
  });

  it("adds one command for one call, however often its answer is lost, even if the command has been started", async () => {
    const { me, id, name, start } = await queue();
    const call = async () =>
      await queryOnce<{ id: string }>(
        db.work,
        "select id from lockstep.enqueue_command($1, $2, $3, $4, 'sync', '{}', 'ada', '', null, interval '3 minutes')",
        [command, id, name, me.device],
      );
    const command = randomUUID();
    expect(await call()).toEqual([{ id: command }]);
    await start();
    expect(await call()).toEqual([{ id: command }]);
    expect(await listCommands(db, { device: me.device, limit: 10 })).toMatchObject([{ id: command, state: "running" }]);
    const audit = await queryOnce(db.work, "select 1 from lockstep.audit where device = $1", [me.device]);
    expect(audit).toHaveLength(1);
  });

  it("writes nothing when no command is due: such a commit waits for no standby", async () => {
    const { me, start } = await queue();
    const written = async () => {
      const [row] = await queryOnce<{ xid: string }>(
        db.work,
        "select xmax::text || ' ' || xmin::text as xid from lockstep.device where name = $1",
        [me.device],
      );
      return row?.xid;
    };
    const before = await written();
    for (const lane of ["first", "again", "heavy"] as const) expect(await start(lane)).toBeUndefined();
    const search = {
      everything: true,
      positions: [0n, 0n] as const,
      page: { after: FIRST_REPOSITORY, size: 1 },
      room: 1,
    };
    await queryOnce(db.work, "delete from lockstep.replica where device = $1", [me.device]);
    expect(await enqueueRepairs(db, me, search)).toMatchObject({ enqueued: 0, roomLeft: true });
    expect(await enqueueRepairs(db, me, { ...search, everything: false })).toMatchObject({ enqueued: 0 });
    await recordUnknown(db, me, { after: "", last: undefined }, []);
    // A lock of the row would have left its transaction there.
    expect(await written()).toBe(before);
  });

  it("starts one command for one attempt, however often the attempt is repeated", async () => {
    const { enqueue, start } = await queue();
    const first = await enqueue();
    await enqueue({ command: "rename" });
    const attempt = randomUUID();
    expect((await start("first", attempt))?.id).toBe(first);
    expect(await start("first", attempt)).toMatchObject({ id: first, attempts: 1 });
  });

  it("records one outcome, by the incarnation that carries the command out", async () => {
    const { me, enqueue, start } = await queue();
    const id = await enqueue();
    expect(await endCommand(db, me, id, { state: "done" })).toBe(false);
    await start();
    const next = await incarnation(db, { device: me.device });
    // The old process ends late.
    expect(await endCommand(db, me, id, { state: "done", outcome: { by: "old" } })).toBe(false);
    expect(await start()).toBeUndefined();
    expect(await start("again", randomUUID(), next)).toMatchObject({ id, attempts: 2 });
    expect(await endCommand(db, next, id, { state: "failed", error: "no" })).toBe(true);
    expect(await endCommand(db, next, id, { state: "done" })).toBe(false);
    expect(await findCommand(db, id)).toMatchObject({ state: "failed", lastError: "no", outcome: null });
  });

  it("starts a command again at once after its sidecar ended, and lets it rest once a second one ended with it", async () => {
    const { me, enqueue, start } = await queue();
    const id = await enqueue();
    const due = async () => {
      const [row] = await queryOnce<{ rest: number }>(
        db.work,
        "select round(extract(epoch from due_at - clock_timestamp()))::integer as rest from lockstep.command where id = $1",
        [id],
      );
      return row?.rest ?? Number.NaN;
    };
    await start();
    const second = await incarnation(db, { device: me.device });
    expect(await start("again", randomUUID(), second)).toMatchObject({ id, attempts: 2 });
    const third = await incarnation(db, { device: me.device });
    expect(await start("again", randomUUID(), third)).toBeUndefined();
    expect(await due()).toBeGreaterThan(0);
    expect(await findCommand(db, id)).toMatchObject({ state: "queued", failures: 0 });
    await queryOnce(
      db.work,
      "update lockstep.command set attempts = 100, state = 'running', fence = $2 where id = $1",
      [id, third.fence],
    );
    await incarnation(db, { device: me.device });
    expect(await due()).toBeGreaterThan(200);
    expect(await due()).toBeLessThanOrEqual(300);
  });

  it("starts one command of a replica although two lanes ask at once", async () => {
    const { me, enqueue, start } = await queue();
    const first = await enqueue();
    await enqueue({ command: "verify" });
    await using lane = openSession(database.url);
    await lane.run("begin");
    expect((await startCommand(lane.one, me, "first", randomUUID()))?.id).toBe(first);
    const other = start("heavy");
    const waiting = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    await vi.waitUntil(async () => (await queryOnce(db.work, waiting)).length > 0, SOON);
    await lane.run("commit");
    expect(await other).toBeUndefined();
  });

  it("lets a command rest after a temporary error, and later ones pass it meanwhile", async () => {
    const { me, enqueue, start } = await queue();
    const id = await enqueue();
    const later = await enqueue({ command: "rename" });
    await start();
    await endCommand(db, me, id, { state: "queued", error: "no source", delayMs: 60_000 });
    expect((await start())?.id).toBe(later);
    expect(await findCommand(db, id)).toMatchObject({ state: "queued", attempts: 1, lastError: "no source" });
    expect(await queueDepth(db, me.device)).toMatchObject({ queued: 1, running: 1 });
  });

  it("lets a daemon undo a command that changed a replica only after three minutes, and an operator at once", async () => {
    const { me, enqueue, start } = await queue();
    const release = await enqueue({ command: "release" });
    await start();
    await endCommand(db, me, release, { state: "done", changed: true });
    await enqueue({ command: "provision", daemon: true, arguments: { by: "daemon" } });
    expect(await start()).toBeUndefined();
    const asked = await enqueue({ command: "provision" });
    expect((await start())?.id).toBe(asked);
  });

  it("does not make a daemon wait for a command that changed nothing", async () => {
    const { me, enqueue, start } = await queue();
    const release = await enqueue({ command: "release" });
    await start();
    await endCommand(db, me, release, { state: "superseded" });
    const provision = await enqueue({ command: "provision", daemon: true });
    expect((await start())?.id).toBe(provision);
  });

  it("keeps places for quick commands while one reads a whole repository", async () => {
    const { me, enqueue, start } = await queue();
    const other = await repository(db, me);
    const gc = await enqueue({ command: "gc" });
    const sync = await enqueue({ repositoryId: other.id, repository: other.name });
    expect((await start("first"))?.id).toBe(sync);
    expect((await start("heavy"))?.id).toBe(gc);
  });

  it("lists commands by repository, device and state, newest first", async () => {
    const { me, name, enqueue } = await queue();
    const [first, second] = [await enqueue(), await enqueue({ command: "gc" })];
    const idsOf = (commands: readonly Command[]) => commands.map(({ id }) => id);
    expect(idsOf(await listCommands(db, { repository: name, limit: 10 }))).toEqual([second, first]);
    expect(idsOf(await listCommands(db, { device: me.device, limit: 1 }))).toEqual([second]);
    expect(await listCommands(db, { device: me.device, states: ["failed"], limit: 10 })).toEqual([]);
  });

  it("refuses a command for a device that has never registered", async () => {
    const { enqueue } = await queue();
    await expect(enqueue({ device: "nobody" })).rejects.toMatchObject({ code: "DEVICE_NOT_FOUND" });
  });
});
