import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { queryOnce } from "../../src/store/database/database.ts";
import { readFold } from "../../src/store/log/fold.ts";
import { landWrite, stageWrite } from "../../src/store/write/writes.ts";
import { db, makeDatabaseOfFile } from "../support/file-database.ts";
import { ref } from "../support/refs.ts";
import { contents, create, incarnation, repository, stage, versions } from "../support/store-rows.ts";

const MAIN = "refs/heads/main";
const A = "a".repeat(40);
const B = "b".repeat(40);

makeDatabaseOfFile();

describe("stageWrite", () => {
  it("tells what the named refs hold, in the order of the names", async () => {
    const me = await incarnation(db);
    const { id } = await repository(db, me);
    const request = await stage(db, me, id, 0n, [create(MAIN, A), create("refs/tags/v1", B)]);
    await landWrite(db, me, request);
    const names = ["refs/tags/v1", "refs/heads/none", "HEAD", MAIN].map(ref);
    const staged = await stageWrite(db, me, {
      writeId: randomUUID(),
      repositoryId: id,
      base: 1n,
      author: "ada",
      names,
    });
    const { digestKey, digest } = await readFold(db, id);
    expect(staged).toEqual({
      outcome: "staged",
      head: 1n,
      digest,
      digestKey,
      values: [B, null, "ref: refs/heads/main", A],
      copiesRule: { atLeast: 1, orFewer: false },
    });
  });

  it("makes no row on another base than the head, nor where there is no repository", async () => {
    const me = await incarnation(db);
    const { id } = await repository(db, me);
    await landWrite(db, me, await stage(db, me, id, 0n, [create(MAIN, A)]));
    const before = await contents(db);
    const write = { writeId: randomUUID(), repositoryId: id, author: "ada", names: [ref(MAIN)] };
    for (const base of [0n, 2n]) expect(await stageWrite(db, me, { ...write, base })).toEqual({ outcome: "stale" });
    expect(await stageWrite(db, me, { ...write, base: 0n, repositoryId: randomUUID() })).toEqual({
      outcome: "missing",
    });
    expect(await contents(db)).toEqual(before);
  });
});

describe("stageWrite on a device without the replica", () => {
  it("finds it missing, also where it was released", async () => {
    const [me, other] = [await incarnation(db), await incarnation(db)];
    const { id } = await repository(db, me);
    const write = { writeId: randomUUID(), repositoryId: id, base: 0n, author: "ada", names: [ref(MAIN)] };
    expect(await stageWrite(db, other, write)).toEqual({ outcome: "missing" });
    await queryOnce(db.work, "update lockstep.replica set state = 'released' where repository_id = $1", [id]);
    expect(await stageWrite(db, me, write)).toEqual({ outcome: "missing" });
    expect(await versions(db, id)).toEqual([]);
  });
});
