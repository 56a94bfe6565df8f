import { randomUUID } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import type { Incarnation } from "../../src/domain.ts";
import { endCommand, startCommand } from "../../src/store/command/commands.ts";
import { listCommands } from "../../src/store/command/find-commands.ts";
import { enqueueRepairs, FIRST_REPOSITORY } from "../../src/store/command/repairs.ts";
import { queryOnce } from "../../src/store/database/database.ts";
import { db, makeDatabaseOfFile } from "../support/file-database.ts";
import { repairing } from "../support/repairing.ts";
import { incarnation, repository } from "../support/store-rows.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";

const APP = "team/app";

makeDatabaseOfFile();

const END_OF_LIST = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/** Looks once, at the pushes after position 0 and at no page. */
const look = (me: Incarnation, options: Partial<Parameters<typeof enqueueRepairs>[2]> = {}) =>
  enqueueRepairs(db, me, {
    everything: false,
    positions: [0n, 1n << 62n],
    page: { after: END_OF_LIST, size: 10 },
    room: 100,
    ...options,
  });

/** A device with so many active replicas, whose repositories have version `head`. */
async function device(replicas: number, head = 0): Promise<{ me: Incarnation; ids: string[] }> {
  const [me, other] = [await incarnation(db), await incarnation(db)];
  const ids: string[] = [];
  for (let count = 0; count < replicas; count += 1) ids.push((await repository(db, me, other)).id);
  await queryOnce(db.work, "update lockstep.replica set state = 'active' where device = $1", [me.device]);
  for (let version = 1; version <= head; version += 1)
    await queryOnce(
      db.work,
      `with landed as (
         insert into lockstep.ref_log (repository_id, version, write_id, device, fence, author, digest)
         select id, $2, gen_random_uuid(), 'x', 1, 'ada', 'd' from unnest($1::uuid[]) id returning repository_id)
       update lockstep.repository r set head_version = $2 from landed where r.id = landed.repository_id`,
      [ids, version],
    );
  return { me, ids };
}

const commandsOf = async (me: Incarnation) =>
  (await listCommands(db, { device: me.device, limit: 1_000 })).map(({ repositoryId, command, reason }) => ({
    repositoryId,
    command,
    reason,
  }));

describe("a pass of the repair loop", () => {
  it("finds a repository that was pushed to without a notification", async () => {
    const { me, ids } = await device(1, 1);
    expect(await look(me)).toMatchObject({ enqueued: 1, roomLeft: true });
    expect(await commandsOf(me)).toEqual([{ repositoryId: ids[0], command: "sync", reason: "it is behind" }]);
  });

  it("finds by pages what is behind and was pushed to long ago", async () => {
    const { me, ids } = await device(5, 1);
    const found: (string | null)[] = [];
    let after: string | null = FIRST_REPOSITORY;
    while (after !== null) {
      const page = await look(me, { positions: [0n, 0n], page: { after, size: 2 } });
      after = page.pageLast;
    }
    for (const { repositoryId } of await commandsOf(me)) found.push(repositoryId);
    expect(found.sort()).toEqual([...ids].sort());
  });

  it("enqueues no command twice", async () => {
    const { me } = await device(2, 1);
    expect(await look(me)).toMatchObject({ enqueued: 2 });
    expect(await look(me)).toMatchObject({ enqueued: 0 });
    // One has failed and rests: it is tried again by itself.
    const command = await startCommand(db, me, "first", randomUUID());
    await endCommand(db, me, command!.id, { state: "queued", error: "no source", delayMs: 60_000 });
    expect(await look(me)).toMatchObject({ enqueued: 0 });
    expect(await commandsOf(me)).toHaveLength(2);
  });

  it("finds every broken replica in time, however many of them have a command already", async () => {
    const { me, ids } = await device(4);
    await queryOnce(db.work, "update lockstep.replica set state = 'broken' where device = $1", [me.device]);
    expect(await look(me, { room: 2 })).toMatchObject({ enqueued: 2 });
    expect(await look(me, { room: 4 })).toMatchObject({ enqueued: 2 });
    expect((await commandsOf(me)).map(({ repositoryId }) => repositoryId).sort()).toEqual([...ids].sort());
  });

  it("asks for missing replicas before those that are behind, and for broken ones last", async () => {
    const { me, ids } = await device(3, 1);
    const [missing, behind, broken] = ids;
    const set = (id: string | undefined, state: string) =>
      queryOnce(db.work, "update lockstep.replica set state = $3 where device = $1 and repository_id = $2", [
        me.device,
        id,
        state,
      ]);
    await set(missing, "pending");
    await set(broken, "broken");
    await look(me);
    expect((await commandsOf(me)).reverse()).toEqual([
      { repositoryId: missing, command: "provision", reason: "it is missing" },
      { repositoryId: behind, command: "sync", reason: "it is behind" },
      { repositoryId: broken, command: "sync", reason: "it is broken" },
    ]);
  });

  it("fills the queue no further than it has room, and says that more may be found", async () => {
    const { me } = await device(6, 1);
    expect(await look(me, { everything: true, room: 4 })).toMatchObject({ enqueued: 4, roomLeft: false });
    expect(await look(me, { everything: true, room: 4 })).toMatchObject({ enqueued: 0, roomLeft: false });
    for (let count = 0; count < 4; count += 1) {
      const command = await startCommand(db, me, "first", randomUUID());
      await endCommand(db, me, command!.id, { state: "done" });
    }
    await queryOnce(
      db.work,
      `update lockstep.replica p set version = 1 from lockstep.command c
       where c.device = p.device and c.repository_id = p.repository_id and p.device = $1`,
      [me.device],
    );
    expect(await look(me, { everything: true, room: 4 })).toMatchObject({ enqueued: 2, roomLeft: true });
  });

  it("is not held up by copies that wait for days to be freed", async () => {
    const { me } = await device(2, 1);
    await queryOnce(
      db.work,
      `insert into lockstep.command (id, repository, device, command, author, due_at)
       select gen_random_uuid(), 'gone/' || i, $1, 'destroy', 'lockstep', now() + '14 days' from generate_series(1, 10) i`,
      [me.device],
    );
    expect(await look(me, { everything: true, room: 4 })).toMatchObject({ enqueued: 2, roomLeft: true });
  });

  it("begins with the repositories that were pushed to last when everything is behind", async () => {
    const { me, ids } = await device(3, 1);
    for (const [index, id] of ids.entries())
      await queryOnce(
        db.work,
        "update lockstep.ref_log set landed_at = clock_timestamp() - $2 * interval '1 day' where repository_id = $1",
        [id, (index * 2) % 3],
      );
    await look(me, { everything: true });
    expect((await commandsOf(me)).map(({ repositoryId }) => repositoryId).reverse()).toEqual([ids[0], ids[2], ids[1]]);
  });

  it("enqueues nothing for an incarnation that was replaced", async () => {
    const { me } = await device(1, 1);
    await incarnation(db, { device: me.device });
    expect(await look(me)).toMatchObject({ enqueued: 0, roomLeft: null });
    expect(await commandsOf(me)).toEqual([]);
  });
});

describe("a device whose notifications are lost", () => {
  it("catches up, also with a repository that is pushed to all the time", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    await using repairs = repairing(b);
    let last = await a.commit(APP, "0");
    await a.push(APP, [change("main", null, last)]);
    const stop = new AbortController();
    const pushing = (async () => {
      for (let count = 1; !stop.signal.aborted; count += 1) {
        const next = await a.commit(APP, String(count), { parents: [last] });
        await a.push(APP, [change("main", last, next)]);
        last = next;
      }
    })();
    await vi.waitFor(async () => {
      await repairs.loop.pass();
      expect(b.context.replicas.findByName(APP)?.applied ?? 0n).toBeGreaterThan(3n);
    }, SOON);
    stop.abort();
    await pushing;
    await vi.waitFor(async () => {
      await repairs.loop.pass();
      await b.expectInLockstep(APP);
    }, SOON);
  });
});
