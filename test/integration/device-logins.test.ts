// What a session with the login of one device can do to the rows of others. Another file has a cluster of such devices.
import { randomUUID } from "node:crypto";
import type pg from "pg";
import { describe, expect, it } from "vitest";
import { Database, queryOnce } from "../../src/store/database/database.ts";
import { endDeviceLogin } from "../../src/store/device/device-logins.ts";
import { verifyAudit } from "../../src/store/registry/audit.ts";
import { createRepository } from "../../src/store/repository/repositories.ts";
import { ALL_SUBJECTS } from "../../src/store/retention/subjects.ts";
import { landWrite, settleWrite, stageWrite } from "../../src/store/write/writes.ts";
import { administer } from "../support/administer.ts";
import {
  attempt,
  logins,
  makeDeviceLogin,
  mine,
  ONE,
  other,
  own,
  REFUSED,
  repository,
  staged,
  url,
} from "../support/device-login-rows.ts";
import { database, db } from "../support/file-database.ts";
import { create, incarnation, stage } from "../support/store-rows.ts";

makeDeviceLogin();

describe("the login of a device", () => {
  it("lands no write of another device, and drops none while that device is there", async () => {
    await expect(landWrite(own, mine, staged)).rejects.toThrow(/acts for the device mine only, not for other/);
    await expect(settleWrite(own, mine, staged, "mine now")).rejects.toThrow(
      /acts for the device mine only, not for other/,
    );
    expect(await settleWrite(db, other, staged, "enough")).toEqual({ status: "dropped", reason: "enough" });
  });

  it("drops a write of a device that is gone", async () => {
    const gone = await incarnation(db, { device: "gone", rootId: randomUUID() });
    await queryOnce(db.work, "insert into lockstep.replica (repository_id, device) values ($1, 'gone')", [repository]);
    const left = await stage(db, gone, repository, 1n, [create("refs/heads/left", ONE)]);
    await queryOnce(db.work, "update lockstep.device set expires_at = now() where name = 'gone'");
    expect(await settleWrite(own, mine, left, "its device is gone")).toEqual({
      status: "dropped",
      reason: "its device is gone",
    });
  });

  it("cannot use the turn of another device", async () => {
    const [ticket] = await queryOnce<{ id: string }>(
      db.work,
      "update lockstep.turn set expires_at = clock_timestamp() + interval '1 minute' returning write_id as id",
    );
    const wish = { repositoryId: repository, base: 1n, author: "eve", names: [] };
    for (const ids of [{ writeId: randomUUID(), ticket: ticket?.id }, { writeId: String(ticket?.id) }])
      await expect(stageWrite(own, mine, { ...wish, ...ids })).rejects.toThrow(/not for other/);
    await queryOnce(db.work, "delete from lockstep.turn");
  });

  it("holds its lease and its turns for a minute at most", async () => {
    expect(await attempt("update lockstep.device set expires_at = now() + interval '50 s' where name = 'mine'")).toBe(
      1,
    );
    expect(await attempt("update lockstep.device set expires_at = 'infinity' where name = 'mine'")).toBe(REFUSED);
  });

  it("does what its device does: it stages, lands and drops writes of its own", async () => {
    const write = await stage(own, mine, repository, 1n, [create("refs/heads/mine", ONE)]);
    expect(await landWrite(own, mine, write)).toEqual({ outcome: "landed", version: 2n });
    const dropped = await stage(own, mine, repository, 2n, [create("refs/heads/more", ONE)]);
    expect(await settleWrite(own, mine, dropped, "no")).toEqual({ status: "dropped", reason: "no" });
  });

  it("lets nobody else in, not even with --trust-ca; its own key is let in, since an operator has made its login", async () => {
    const enroll = async (role: string, name: string, self: boolean) =>
      await queryOnce<{ outcome: string; how: string | null }>(
        own.work,
        "select outcome, how from lockstep.enroll_key($1, $2, 'x509', 'sha256:' || $2, null, 'mine', true, $3, false, null, null, '')",
        [role, name, self],
      );
    expect(await enroll("operator", "mallory", false)).toEqual([{ outcome: "waiting", how: null }]);
    expect(await enroll("device", "other2", true)).toEqual([{ outcome: "waiting", how: null }]);
    expect(await enroll("operator", "mine", true)).toEqual([{ outcome: "waiting", how: null }]);
    expect(await enroll("device", "mine", true)).toEqual([{ outcome: "trusted", how: "its login" }]);
  });

  it("adds to the audit, and its rows name the login; it cuts nothing off", async () => {
    await queryOnce(
      own.work,
      "insert into lockstep.audit (author, action, detail) values ('ada', 'trust key', '{\"of\": \"eve\"}')",
    );
    const [row] = await queryOnce(db.work, "select author, detail from lockstep.audit order by id desc limit 1");
    expect(row).toEqual({ author: "ada", detail: { of: "eve", login: new URL(url).username } });
    expect(
      await attempt("insert into lockstep.audit (id, at, author, action, hash) values (1, now(), 'ada', 'x', '')"),
    ).toBe(REFUSED);
    const before = await queryOnce(db.work, "select count(*) from lockstep.audit");
    expect(await queryOnce(own.work, "select lockstep.trim_audit(0, 1000) as cut")).toEqual([{ cut: 0 }]);
    expect(await queryOnce(db.work, "select count(*) from lockstep.audit")).toEqual(before);
    expect((await verifyAudit(own, undefined)).problem).toBe(null);
  });

  it("deletes from the log and the outcomes only what has been kept for long enough", async () => {
    expect(
      await queryOnce(own.work, "select base, more from lockstep.claim_trim($1, 1, 0, 100)", [repository]),
    ).toEqual([{ base: 0n, more: false }]);
    expect(await queryOnce(own.work, "select lockstep.trim_writes(0, 100) as deleted")).toEqual([{ deleted: 0 }]);
    const kept = ALL_SUBJECTS.filter(({ where, keep }) => where === "database" && keep !== undefined && keep !== null);
    expect(kept.length).toBeGreaterThan(3);
    for (const { name, keep } of kept) {
      const [, versions = "1", days] = /^(?:(\d+),)?(\d+)d$/.exec(String(keep)) ?? [];
      expect(await queryOnce(db.work, "select versions, days from lockstep.least_kept($1)", [name])).toEqual([
        { versions: BigInt(versions), days: Number(days) },
      ]);
    }
  });

  it("is not fooled by operators and functions that the session puts in the way", async () => {
    const login = new URL(url).username;
    await administer(database.url, async (client) => {
      await client.query(`create schema evil authorization "${login}"`);
    });
    const result = await administer(url, async (client) => {
      await client.query("create function evil.yes(text, text) returns boolean language sql as 'select true'");
      await client.query("create operator evil.= (leftarg = text, rightarg = text, function = evil.yes)");
      await client.query("set search_path = evil, pg_catalog");
      return await client.query("select lockstep.drain_device('other', 'eve')").then(
        () => "done",
        (error: pg.DatabaseError) => error.code,
      );
    });
    await administer(database.url, (client) => client.query("drop schema evil cascade"));
    expect(result).toBe(REFUSED);
  });

  it("a repository that it removes can be restored for two weeks at least", async () => {
    const wish = { devices: [], defaultBranch: "main", objectFormat: "sha1" as const };
    const { id } = await createRepository(own, { name: "team/gone", ...wish });
    const [row] = await queryOnce<{ days: number }>(
      own.work,
      "select extract(day from keep_until - clock_timestamp())::int as days from lockstep.remove_repository($1, 'team/gone', 'eve', '', '0 s')",
      [id],
    );
    expect(row?.days).toBeGreaterThanOrEqual(13);
  });

  it("acts for nobody once an operator has ended it", async () => {
    const again = await logins.make("mine");
    await using session = new Database({ url: again, applicationName: "again" });
    expect(await queryOnce(session.work, "select lockstep.own_device() as device")).toEqual([{ device: "mine" }]);
    await administer(database.url, (client) =>
      client.query("delete from lockstep.device_login where login = $1", [new URL(again).username]),
    );
    await expect(stage(session, mine, repository, 2n, [])).rejects.toThrow(
      /neither that of a device nor that of the owner/,
    );
    expect((await endDeviceLogin(db, "mine", "ada")).length).toBe(1);
    await expect(queryOnce(own.work, "select 1")).rejects.toThrow(/DATABASE|cannot be used|refuses/);
  });
});
