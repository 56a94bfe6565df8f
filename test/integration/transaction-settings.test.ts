// The settings of each transaction are its own, whatever the defaults of the database are.
import { describe, expect, it } from "vitest";
import { Database, queryOnce } from "../../src/store/database/database.ts";
import { inSnapshot } from "../../src/store/database/snapshot.ts";
import { renewLease } from "../../src/store/device/device-lease.ts";
import { stopNewWrites } from "../../src/store/write/write-stops.ts";
import { landWrite } from "../../src/store/write/writes.ts";
import { administer } from "../support/administer.ts";
import { migratedDatabase } from "../support/database.ts";
import { setDefaults } from "../support/database-defaults.ts";
import { HARMLESS } from "../support/odd-defaults.ts";
import { create, HERE, incarnation, repository, stage } from "../support/store-rows.ts";

describe("a transaction", () => {
  it.each([
    ["off", "on"],
    ["local", "on"],
    ["on", "on"],
    ["remote_write", "remote_write"],
    ["remote_apply", "remote_apply"],
  ])("waits for the standby where commits have synchronous_commit = %s by default", async (given, then) => {
    await using database = await migratedDatabase();
    await setDefaults(database.url, { synchronous_commit: given });
    await using db = new Database({ url: database.url, applicationName: "odd" });
    const me = await incarnation(db);
    const { id } = await repository(db, me);
    // What each of them had when it wrote its row.
    await queryOnce(db.work, "create table public.seen (what text, level text)");
    await administer(database.url, async (client) => {
      await client.query(`create function public.see() returns trigger language plpgsql as $$ begin
        insert into public.seen values (tg_table_name || ' ' || tg_op, current_setting('synchronous_commit')); return new; end $$`);
      for (const table of ["ref_log", "write", "audit", "repository", "device"])
        await client.query(
          `create trigger see before insert or update on lockstep.${table} for each row execute function public.see()`,
        );
    });
    const request = await stage(db, me, id, 0n, [create("refs/heads/main", "a".repeat(40))]);
    expect(await landWrite(db, me, request)).toMatchObject({ outcome: "landed" });
    await renewLease(db, me, HERE);
    await repository(db, me);
    await stopNewWrites(db, [null], { author: "ada", reason: "r" });
    expect(await queryOnce(db.work, "select what, level from public.seen group by what, level order by what")).toEqual([
      { what: "audit INSERT", level: then },
      { what: "device UPDATE", level: then },
      { what: "ref_log INSERT", level: then },
      { what: "repository INSERT", level: then },
      { what: "repository UPDATE", level: then },
      // Staged: a server that crashes may forget it, and then the write cannot land.
      { what: "write INSERT", level: "off" },
      { what: "write UPDATE", level: then },
    ]);
    // An answer is as good as a change: whoever reads it acts on it.
    const now = "select current_setting('synchronous_commit') as level";
    expect(await queryOnce(db.work, now)).toEqual([{ level: then }]);
    expect(await queryOnce(db.reads, now, [], { provesNothing: true })).toEqual([{ level: given }]);
  });

  it("has its own isolation and time limits", async () => {
    await using database = await migratedDatabase();
    await setDefaults(database.url, HARMLESS);
    await using db = new Database({ url: database.url, applicationName: "odd" });
    for (const [setting, value] of [
      ["transaction_isolation", "read committed"],
      ["lock_timeout", "0"],
      ["statement_timeout", "15s"],
    ] as const)
      expect(await queryOnce(db.work, `show ${setting}`)).toEqual([{ [setting]: value }]);
  });

  it("is never compiled, also where the planner would do so at any cost", async () => {
    await using database = await migratedDatabase();
    await setDefaults(database.url, { jit: "on", jit_above_cost: "0", jit_optimize_above_cost: "0" });
    await using db = new Database({ url: database.url, applicationName: "odd" });
    expect(await queryOnce(db.work, "show jit")).toEqual([{ jit: "off" }]);
    expect(await inSnapshot(db.work, async (ask) => await ask("show jit", []))).toEqual([{ jit: "off" }]);
    const plan = await queryOnce(db.work, "explain analyze select from lockstep.repository");
    expect(JSON.stringify(plan)).not.toContain("JIT");
  });
});
