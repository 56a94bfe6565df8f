// What a turn means for writes: who may stage and land while a ticket has it.
import { randomUUID } from "node:crypto";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { EMPTY_DIGEST } from "../../src/digest.ts";
import type { Incarnation, Version } from "../../src/domain.ts";
import { queryOnce } from "../../src/store/database/database.ts";
import { readFold } from "../../src/store/log/fold.ts";
import { readLog } from "../../src/store/log/list-log.ts";
import { currentWriter } from "../../src/store/write/find-write.ts";
import { takeTurn, turnHolder } from "../../src/store/write/turns.ts";
import { landWrite, settleWrite, stageWrite } from "../../src/store/write/writes.ts";
import { db, makeDatabaseOfFile } from "../support/file-database.ts";
import { incarnation, repository } from "../support/store-rows.ts";
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
const stage = (at: Incarnation, writeId: string, base: Version = 0n) =>
  stageWrite(db, at, { writeId, repositoryId, base, author: "ada", names: [] });
const land = (at: Incarnation, writeId: string, base: Version = 0n) =>
  landWrite(db, at, { writeId, repositoryId, base, difference: EMPTY_DIGEST, updates: [] });

describe("a write with a ticket of another name", () => {
  it("lands in the turn of that ticket, in as many attempts as it takes, and the turn is over with that", async () => {
    const [name, first, second] = [randomUUID(), randomUUID(), randomUUID()];
    await takeTurn(db, me, ticket(name));
    const stageWith = (writeId: string, withTicket?: string) =>
      stageWrite(db, me, { writeId, repositoryId, base: 0n, author: "ada", names: [], ticket: withTicket });
    expect(await stageWith(randomUUID())).toMatchObject({ outcome: "turn" });
    expect(await stageWith(first, name)).toMatchObject({ outcome: "staged" });
    expect(await currentWriter(db, repositoryId)).toMatchObject({ id: first, ticket: name });
    await settleWrite(db, me, { writeId: first, repositoryId, author: "ada" }, "the first attempt");
    expect(await stageWith(second, name)).toMatchObject({ outcome: "staged" });
    expect(await land(me, second)).toEqual({ outcome: "landed", version: 1n });
    expect(await turnHolder(db, repositoryId)).toBeUndefined();
  });
});

describe("a write", () => {
  it("is neither staged nor landed while another has the turn", async () => {
    const early = randomUUID();
    expect(await stage(me, early)).toMatchObject({ outcome: "staged" });
    await takeTurn(db, other, ticket(randomUUID()));
    expect(await land(me, early)).toEqual({ outcome: "turn" });
    const late = randomUUID();
    expect(await stage(me, late)).toEqual({ outcome: "turn" });
    expect(await queryOnce(db.work, "select 1 from lockstep.write where id = $1", [late])).toEqual([]);
    expect(await readLog(db, repositoryId, null, 10)).toEqual([]);
  });

  it("lands as soon as the turn of the other has run out", async () => {
    const [holder, write] = [randomUUID(), randomUUID()];
    await stage(me, write);
    await takeTurn(db, other, ticket(holder));
    expect(await land(me, write)).toEqual({ outcome: "turn" });
    await expire(holder);
    expect(await stage(me, randomUUID())).toMatchObject({ outcome: "staged" });
    expect(await land(me, write)).toEqual({ outcome: "landed", version: 1n });
  });

  it("lands in its own turn, which is over with that", async () => {
    const [first, second] = [randomUUID(), randomUUID()];
    await takeTurn(db, me, ticket(first));
    await takeTurn(db, other, ticket(second));
    expect(await stage(me, first)).toMatchObject({ outcome: "staged" });
    expect(await land(me, first)).toEqual({ outcome: "landed", version: 1n });
    expect((await turnHolder(db, repositoryId))?.writeId).toBe(second);
    expect(await queryOnce(db.work, "select 1 from lockstep.turn where write_id = $1", [first])).toEqual([]);
  });

  it("says again that it has landed, also when another write has the turn now", async () => {
    const write = randomUUID();
    await stage(me, write);
    await land(me, write);
    await takeTurn(db, other, ticket(randomUUID()));
    expect(await land(me, write)).toEqual({ outcome: "landed", version: 1n });
  });

  it("lands in the order of the tickets when many wait", async () => {
    const writer = async (writeId: string): Promise<void> => {
      while (!(await takeTurn(db, me, ticket(writeId))));
      const { head: base } = await readFold(db, repositoryId);
      expect(await stage(me, writeId, base)).toMatchObject({ outcome: "staged" });
      expect(await land(me, writeId, base)).toMatchObject({ outcome: "landed" });
    };
    const writes = Array.from({ length: 6 }, () => randomUUID() as string);
    for (const write of writes) await takeTurn(db, me, ticket(write));
    await Promise.all([...writes].reverse().map(writer));
    const log = await readLog(db, repositoryId, null, 10);
    expect(log.map(({ writeId }) => writeId)).toEqual([...writes].reverse());
  });
});

describe("currentWriter", () => {
  it("is the staged write that has the turn, else the oldest one, else nobody", async () => {
    expect(await currentWriter(db, repositoryId)).toBeNull();
    const [first, second] = [randomUUID(), randomUUID()];
    await stage(me, first);
    await stage(me, second);
    expect(await currentWriter(db, repositoryId)).toMatchObject({ id: first, device: "mine", status: "staged" });
    await takeTurn(db, me, ticket(second));
    expect(await currentWriter(db, repositoryId)).toMatchObject({ id: second });
    await expire(second);
    expect(await currentWriter(db, repositoryId)).toMatchObject({ id: first });
  });
});
