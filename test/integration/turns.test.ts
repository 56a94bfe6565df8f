// The queue for a repository's turn: who has the turn, and when it passes on.
import { randomUUID } from "node:crypto";
import pg from "pg";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Incarnation } from "../../src/domain.ts";
import { queryOnce } from "../../src/store/database/database.ts";
import { dropExpiredSessions } from "../../src/store/write/sessions.ts";
import { leaveTurn, listTickets, readTurns, renewTickets, takeTurn, turnHolder } from "../../src/store/write/turns.ts";
import { database, db, makeDatabaseOfFile } from "../support/file-database.ts";
import { incarnation, repository } from "../support/store-rows.ts";
import { SOON } from "../support/sync-device.ts";
import { expire } from "../support/turn-tickets.ts";

let me: Incarnation;
let other: Incarnation;
let repositoryId: string;

makeDatabaseOfFile();
beforeAll(async () => {
  [me, other] = [await incarnation(db, { device: "mine" }), await incarnation(db, { device: "other" })];
});
beforeEach(async () => {
  ({ id: repositoryId } = await repository(db, me));
});

const ticket = (writeId: string, author = "ada") => ({ repositoryId, writeId, author, reason: "push" });

describe("a repository's turn", () => {
  it("belongs to no write at first", async () => {
    expect(await turnHolder(db, repositoryId)).toBeUndefined();
  });

  it("belongs to the ticket that came first, and tells waiting writers who has it", async () => {
    const [first, second] = [randomUUID(), randomUUID()];
    expect(await takeTurn(db, me, ticket(first, "ada"))).toBe(true);
    expect(await takeTurn(db, other, ticket(second, "bob"))).toBe(false);
    const holder = await turnHolder(db, repositoryId);
    expect(holder).toMatchObject({ writeId: first, device: "mine", author: "ada", reason: "push" });
    expect(Math.abs(Date.now() - holder!.since.getTime())).toBeLessThan(60_000);
  });

  it("leaves no ticket behind that ran out, though nobody comes for the turn", async () => {
    const [gone, waiting] = [randomUUID(), randomUUID()];
    await takeTurn(db, me, ticket(gone));
    await takeTurn(db, other, ticket(waiting));
    await expire(gone);
    await dropExpiredSessions(db);
    const left = await queryOnce<{ write_id: string }>(
      db.work,
      "select write_id from lockstep.turn where repository_id = $1",
      [repositoryId],
    );
    expect(left).toEqual([{ write_id: waiting }]);
  });

  it("stays where it is however often the others ask", async () => {
    const [first, second] = [randomUUID(), randomUUID()];
    await takeTurn(db, me, ticket(first));
    for (let asked = 0; asked < 3; asked += 1) {
      expect(await takeTurn(db, other, ticket(second))).toBe(false);
      expect(await takeTurn(db, me, ticket(first))).toBe(true);
    }
  });

  it("passes to the next in the order of arrival when it is given back", async () => {
    const writes = [randomUUID(), randomUUID(), randomUUID()];
    for (const write of writes) await takeTurn(db, me, ticket(write));
    // The last one asks often; that does not bring it forward.
    await takeTurn(db, me, ticket(writes[2]!));
    for (const write of writes) {
      expect((await turnHolder(db, repositoryId))?.writeId).toBe(write);
      await leaveTurn(db, write);
    }
    expect(await turnHolder(db, repositoryId)).toBeUndefined();
  });

  it("is ignored once it has run out, and its place is lost: the next one may have begun", async () => {
    const [first, second] = [randomUUID(), randomUUID()];
    await takeTurn(db, me, ticket(first));
    await takeTurn(db, other, ticket(second));
    await expire(first);
    expect((await turnHolder(db, repositoryId))?.writeId).toBe(second);
    expect(await takeTurn(db, me, ticket(first))).toBe(false);
    expect((await listTickets(db, repositoryId)).map(({ writeId }) => writeId)).toEqual([second, first]);
  });

  it("is given to no ticket while a ticket with a lower number may still appear", async () => {
    const [early, late] = [randomUUID(), randomUUID()];
    const client = new pg.Client({ connectionString: database.url, application_name: "early" });
    await client.connect();
    try {
      await client.query("begin");
      const text = "select lockstep.take_turn($1, $2, $3, $4, 'ada', 'push', interval '12 s', null) as outcome";
      const { rows } = await client.query(text, [early, repositoryId, me.device, me.fence]);
      expect(rows).toEqual([{ outcome: "first" }]);
      let answered = false;
      const taken = takeTurn(db, other, ticket(late)).finally(() => {
        answered = true;
      });
      const waiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
        and query like '%lockstep.take_turn%'`;
      await vi.waitFor(async () => expect(answered || (await queryOnce(db.work, waiting)).length > 0).toBe(true), SOON);
      await client.query("commit");
      expect(await taken).toBe(false);
    } finally {
      await client.end();
    }
    expect((await listTickets(db, repositoryId)).map(({ writeId }) => writeId)).toEqual([early, late]);
  });

  it("is not given to a ticket of another caller, kind, device or repository that has the same id", async () => {
    const writeId = randomUUID();
    await takeTurn(db, me, { ...ticket(writeId), caller: "frontend web" });
    const { id: elsewhere } = await repository(db, me);
    for (const [at, request] of [
      [me, { ...ticket(writeId), caller: "frontend wiki" }],
      [me, { ...ticket(writeId), caller: "operator web" }],
      [me, ticket(writeId)],
      [other, { ...ticket(writeId), caller: "frontend web" }],
      [me, { ...ticket(writeId), caller: "frontend web", repositoryId: elsewhere }],
    ] as const)
      await expect(takeTurn(db, at, request)).rejects.toMatchObject({ code: "INVALID_REQUEST" });
    expect(await takeTurn(db, me, { ...ticket(writeId), caller: "frontend web" })).toBe(true);
    expect(await listTickets(db, elsewhere)).toEqual([]);
  });

  it("is kept by renewing the tickets of this device that have not run out, of no other", async () => {
    const [first, second, gone, theirs] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    for (const id of [first, second, gone]) await takeTurn(db, me, ticket(id));
    await takeTurn(db, other, ticket(theirs));
    await queryOnce(db.work, "update lockstep.turn set expires_at = clock_timestamp() + interval '5 s'");
    await expire(gone);
    await renewTickets(db, me, [first, second, gone, theirs]);
    const longer = await queryOnce<{ id: string }>(
      db.work,
      "select write_id as id from lockstep.turn where expires_at > clock_timestamp() + interval '6 s' order by ticket",
    );
    expect(longer.map(({ id }) => id)).toEqual([first, second]);
    expect(await readTurns(db, [first, second, gone, theirs])).toEqual(
      new Map([first, second, theirs].map((id) => [id, first])),
    );
    const successor = await incarnation(db, { device: "mine" });
    expect(await readTurns(db, [first, second])).toEqual(new Map());
    await takeTurn(db, successor, ticket(first));
    await queryOnce(db.work, "update lockstep.turn set expires_at = clock_timestamp() + interval '5 s'");
    await renewTickets(db, me, [first]);
    const [row] = await queryOnce(
      db.work,
      "select 1 from lockstep.turn where expires_at > clock_timestamp() + interval '6 s'",
    );
    expect(row).toBeUndefined();
    me = successor;
  });

  it("is separate for each repository", async () => {
    await takeTurn(db, me, ticket(randomUUID()));
    ({ id: repositoryId } = await repository(db, me));
    expect(await takeTurn(db, other, ticket(randomUUID()))).toBe(true);
  });

  it("is not given to an incarnation that was replaced", async () => {
    const old = await incarnation(db, { device: "replaced" });
    await incarnation(db, { device: "replaced" });
    expect(await takeTurn(db, old, ticket(randomUUID()))).toBe(false);
    expect(await turnHolder(db, repositoryId)).toBeUndefined();
  });
});

describe("the queue", () => {
  it("lists those who wait in their order, with how long by the database's clock, and nobody whose ticket ran out", async () => {
    const [first, second, third] = [randomUUID(), randomUUID(), randomUUID()];
    await takeTurn(db, me, ticket(first));
    await takeTurn(db, other, ticket(second, "bob"));
    await takeTurn(db, me, ticket(third, "carol"));
    await queryOnce(
      db.work,
      "update lockstep.turn set since = clock_timestamp() - interval '1 minute' where write_id = $1",
      [second],
    );
    const tickets = await listTickets(db, repositoryId);
    expect(tickets).toMatchObject([
      { writeId: first, device: "mine", author: "ada", reason: "push", since: expect.any(Date) },
      { writeId: second, device: "other", author: "bob" },
      { writeId: third, device: "mine", author: "carol" },
    ]);
    expect(tickets[0]?.waitedMs).toBeLessThan(30_000);
    expect(tickets[1]?.waitedMs).toBeGreaterThanOrEqual(60_000);
    await expire(first);
    await leaveTurn(db, third);
    expect((await listTickets(db, repositoryId)).map(({ writeId }) => writeId)).toEqual([second]);
    expect(await listTickets(db, (await repository(db, me)).id)).toEqual([]);
  });
});
