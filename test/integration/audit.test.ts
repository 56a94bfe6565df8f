import { beforeEach, describe, expect, it } from "vitest";
import { Database, queryOnce } from "../../src/store/database/database.ts";
import { type Act, insertAudit, listAudit, verifyAudit } from "../../src/store/registry/audit.ts";
import { trimAudit } from "../../src/store/retention/trim-rows.ts";
import { database, db, makeDatabaseOfFile } from "../support/file-database.ts";

makeDatabaseOfFile();
beforeEach(async () => {
  await byForce("truncate lockstep.audit");
  await queryOnce(db.work, "delete from lockstep.audit_chain");
  await queryOnce(db.work, "insert into lockstep.audit_chain default values");
});

const act = (author: string): Act => ({ author, action: "drain device", result: "done", detail: { reason: "täst" } });
const note = async (...authors: string[]) => {
  for (const author of authors) await insertAudit(db, [act(author)]);
};
const verify = async (through?: { id: bigint; hash: string }) => await verifyAudit(db, through);
/** Does what the owner of the tables can do. */
async function byForce(statement: string): Promise<void> {
  await queryOnce(db.work, "alter table lockstep.audit disable trigger user");
  await queryOnce(db.work, statement);
  await queryOnce(db.work, "alter table lockstep.audit enable trigger user");
}

describe("the audit", () => {
  it("has dense rows in a chain, also where one statement adds many and many statements come at once", async () => {
    await note("ada", "olga");
    await insertAudit(db, [act("one"), act("two"), act("three")]);
    await Promise.all(Array.from({ length: 12 }, (_, index) => insertAudit(db, [act(`a${index}`), act(`b${index}`)])));
    const rows = await listAudit(db, { after: 0n, since: 0, limit: 100, newest: false });
    expect(rows.map(({ id }) => id)).toEqual(rows.map((_, index) => BigInt(index + 1)));
    expect(rows.slice(0, 5).map(({ author }) => author)).toEqual(["ada", "olga", "one", "two", "three"]);
    expect(rows[0]).toMatchObject({ action: "drain device", result: "done", detail: '{"reason": "täst"}' });
    expect(await verify()).toMatchObject({ rows: 29n, first: 1n, problem: null });
  });

  it("lists from a row on, from a time on, and the newest rows", async () => {
    await note("a", "b", "c", "d");
    const authors = async (which: Partial<Parameters<typeof listAudit>[1]>) =>
      (await listAudit(db, { after: 0n, since: 0, limit: 2, newest: false, ...which })).map(({ author }) => author);
    expect(await authors({})).toEqual(["a", "b"]);
    expect(await authors({ after: 2n })).toEqual(["c", "d"]);
    expect(await authors({ newest: true })).toEqual(["c", "d"]);
    expect(await authors({ since: Date.now() + 3_600_000 })).toEqual([]);
  });

  it.each([
    ["update", "update lockstep.audit set author = 'mallory' where id = 1"],
    ["delete", "delete from lockstep.audit where id = 1"],
    ["truncate", "truncate lockstep.audit"],
  ])("refuses to %s rows", async (_, statement) => {
    await note("ada");
    await expect(queryOnce(db.work, statement)).rejects.toThrow("only grows");
  });

  it("is whole when the server writes times and numbers in another way", async () => {
    await note("ada", "olga");
    const name = new URL(database.url).pathname.slice(1);
    for (const setting of ["timezone = 'Asia/Kolkata'", "datestyle = 'German'", "extra_float_digits = 0"])
      await queryOnce(db.work, `alter database "${name}" set ${setting}`);
    await using other = new Database({ url: database.url, applicationName: "other" });
    expect(await verifyAudit(other, undefined)).toMatchObject({ rows: 2n, problem: null });
  });
});

describe("somebody who owns the tables and", () => {
  it.each([
    ["changes a row", "update lockstep.audit set author = 'mallory' where id = 2", { id: 2n, what: "changed" }],
    ["changes a detail", "update lockstep.audit set detail = '{}' where id = 3", { id: 3n, what: "changed" }],
    ["removes a row", "delete from lockstep.audit where id = 2", { id: 2n, what: "missing" }],
    ["removes the first row", "delete from lockstep.audit where id = 1", { id: 1n, what: "missing" }],
    ["removes the last row", "delete from lockstep.audit where id = 4", { id: 4n, what: "missing" }],
    ["removes all", "delete from lockstep.audit", { id: 1n, what: "missing" }],
    [
      "removes the first rows and moves the beginning",
      `with first as (select id, hash from lockstep.audit where id = 2),
         gone as (delete from lockstep.audit where id <= 2)
       update lockstep.audit_chain set base_id = first.id, base_hash = first.hash from first`,
      { id: 3n, what: "cut" },
    ],
  ])("%s is noticed, also after more rows have come", async (_, statement, problem) => {
    await note("a", "b", "c", "d");
    await byForce(statement);
    expect((await verify()).problem).toEqual(problem);
    await note("e", "f");
    expect((await verify()).problem).toEqual(problem);
  });

  it("writes a whole new chain is noticed by an end that was noted elsewhere", async () => {
    await note("a", "b", "c");
    const { end } = await verify();
    expect(await verify(end)).toMatchObject({ problem: null });
    await byForce("delete from lockstep.audit");
    await queryOnce(db.work, "update lockstep.audit_chain set id = 0, hash = base_hash");
    await note("x");
    expect((await verify(end)).problem).toEqual({ id: 2n, what: "missing" });
    await note("y", "z", "d");
    expect((await verify()).problem).toBeNull();
    expect((await verify(end)).problem).toEqual({ id: 3n, what: "replaced" });
  });
});

it("old rows are cut off at the beginning, and the rest stays whole", async () => {
  await note("a", "b", "c");
  expect(await trimAudit(db, 1, 100)).toBe(0);
  // Rows are as old as the database's clock says, so only those older than no time at all can be cut here.
  expect(await trimAudit(db, 0, 2)).toBe(2);
  expect(await verify()).toMatchObject({ rows: 2n, first: 3n, problem: null });
  const rows = await listAudit(db, { after: 0n, since: 0, limit: 10, newest: false });
  expect(rows.map(({ author, action }) => [author, action])).toEqual([
    ["c", "drain device"],
    ["retention", "cut audit"],
  ]);
  await note("d");
  expect(await verify()).toMatchObject({ rows: 3n, first: 3n, problem: null });
});
