// What a session with the login of one device can do to the rows of others. Another file has a cluster of such devices.
import { randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Incarnation } from "../../src/domain.ts";
import { ALL_SUBJECTS } from "../../src/retention.ts";
import { Database, queryOnce } from "../../src/store/database/database.ts";
import { endDeviceLogin } from "../../src/store/device/device-logins.ts";
import { verifyAudit } from "../../src/store/registry/audit.ts";
import { createRepository } from "../../src/store/repository/repositories.ts";
import { landWrite, settleWrite, stageWrite } from "../../src/store/write/writes.ts";
import { administer } from "../support/administer.ts";
import { DeviceLogins } from "../support/device-logins.ts";
import { database, db, makeDatabaseOfFile } from "../support/file-database.ts";
import { create, incarnation, stage } from "../support/store-rows.ts";

const ONE = "a".repeat(40);
const REFUSED = "42501";
/** The column has no values but the database's own. */
const GENERATED = "428C9";

let logins: DeviceLogins;
// The roles have rights in the database, which goes first: vitest runs the last of these first.
afterAll(async () => void (await logins?.[Symbol.asyncDispose]()));
makeDatabaseOfFile();
let url: string;
/** The sessions of the device `mine`. */
let own: Database;
let mine: Incarnation;
let other: Incarnation;
let repository: string;
/** A write that `other` has staged. */
let staged: Awaited<ReturnType<typeof stage>>;

beforeAll(async () => {
  logins = new DeviceLogins(database.url);
  url = await logins.urlOf("mine");
  own = new Database({ url, applicationName: "mine" });
  mine = await incarnation(own, { device: "mine" });
  other = await incarnation(db, { device: "other", rootId: randomUUID() });
  const wish = { devices: ["mine", "other"], defaultBranch: "main", objectFormat: "sha1" as const };
  ({ id: repository } = await createRepository(db, { name: "team/app", ...wish }));
  const first = await stage(db, other, repository, 0n, [create("refs/heads/main", ONE)]);
  expect(await landWrite(db, other, first)).toEqual({ outcome: "landed", version: 1n });
  staged = await stage(db, other, repository, 1n, [create("refs/heads/topic", ONE)]);
  await queryOnce(db.work, "update lockstep.device set expires_at = now() + interval '1 hour' where name = 'other'");
  for (const text of ROWS) await queryOnce(db.work, text.replaceAll("REPOSITORY", `'${repository}'`));
});
afterAll(async () => void (await own?.[Symbol.asyncDispose]()));

/** A row of the other device, or of nobody, in each table that the above left empty. */
const ROWS = [
  "insert into lockstep.adoption values (REPOSITORY, 'other', 'same', null)",
  "insert into lockstep.unknown_directory (device, path, repository) values ('other', 'x.git', 'x')",
  "insert into lockstep.kept_on_disk values ('other', 'lost', 1, 1)",
  "insert into lockstep.setting values ('keep.writes', '\"30d\"', 'ada')",
  "insert into lockstep.former_name values ('old', REPOSITORY, now() + interval '1 day')",
  "insert into lockstep.log_trimmed values (REPOSITORY, 0)",
  `insert into lockstep.turn (repository_id, write_id, device, author, reason, expires_at)
   values (REPOSITORY, gen_random_uuid(), 'other', 'ada', '', now() + interval '1 s')`,
  `insert into lockstep.command (id, repository_id, repository, device, command, author, state, ended_at)
   values (gen_random_uuid(), REPOSITORY, 'team/app', 'other', 'verify', 'ada', 'done', now())`,
  `insert into lockstep.sync_event (repository_id, device, from_device, from_version, version, bytes, refs_changed, duration_ms, result)
   values (REPOSITORY, 'other', 'mine', 0, 1, 0, 0, 0, 'ok')`,
  "insert into lockstep.write_stop (repository_id, reason, author) values (null, 'moves', 'ada')",
  "delete from lockstep.write_stop",
  "insert into lockstep.principal (role, name) values ('operator', 'eve'), ('device', 'other')",
  "insert into lockstep.credential (role, name, kind, fingerprint, enrolled_by) values ('device', 'other', 'ssh', 'SHA256:x', 'ada')",
  "insert into lockstep.waiting_key (role, name, kind, fingerprint, seen_by) values ('operator', 'eve', 'ssh', 'SHA256:y', 'other')",
  "insert into lockstep.enroll_token values ('\\x00', 'device', 'new', 'ada', now())",
  "insert into lockstep.audit (author, action) values ('ada', 'something')",
  `insert into lockstep.hook (id, url, repositories, visible, secret, author, cursor, device, fence)
   select gen_random_uuid(), 'https://ci.example', '{}', 'landed', 's', 'ada', '', name, fence from lockstep.device where name = 'other'`,
];

/** Runs a statement with the login of the device and returns the number of rows, or the SQLSTATE. Changes nothing. */
async function attempt(text: string, values: unknown[] = []): Promise<number | string> {
  return await administer(url, async (client) => {
    await client.query("begin");
    return await client.query(text, values).then(
      ({ rowCount }) => rowCount ?? 0,
      (error: pg.DatabaseError) => error.code ?? error.message,
    );
  });
}

interface Column {
  readonly table: string;
  readonly column: string;
}

async function columns(): Promise<Column[]> {
  return await queryOnce<Column & { [column: string]: unknown }>(
    db.work,
    `select c.relname as table, a.attname as column from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
     where c.relnamespace = 'lockstep'::regnamespace and c.relkind = 'r' and not a.attisdropped order by 1, a.attnum`,
  );
}

/** The condition for the rows of a table that are not of the device `mine`. */
function ofOthers(table: string, all: readonly Column[]): string {
  if (table === "device") return "name <> 'mine'";
  return all.some((each) => each.table === table && each.column === "device")
    ? "device is distinct from 'mine'"
    : "true";
}

describe("the login of a device", () => {
  it("changes, adds and removes no row of another device in any table, whatever statement it sends", async () => {
    const all = await columns();
    const tables = [...new Set(all.map(({ table }) => table))];
    const broken: string[] = [];
    for (const table of tables) {
      const where = ofOthers(table, all);
      const [{ there } = { there: 0n }] = await queryOnce<{ there: bigint }>(
        db.work,
        `select count(*) as there from lockstep.${table} where ${where}`,
      );
      // Without a row of others the attempts below would prove nothing.
      if (there === 0n && !["write_stop", "device_login"].includes(table))
        broken.push(`${table} has no row to try with`);
      const tries: [string, string][] = [
        ["delete", `delete from lockstep.${table} where ${where}`],
        ["truncate", `truncate lockstep.${table}`],
        ["drop", `drop table lockstep.${table}`],
        ["alter", `alter table lockstep.${table} disable row level security`],
        ["trigger", `alter table lockstep.${table} disable trigger all`],
        [
          "insert",
          `insert into lockstep.${table} overriding system value select * from (select * from lockstep.${table} where ${where}) o`,
        ],
        ...all
          .filter((each) => each.table === table)
          .map(({ column }): [string, string] => [
            `update ${column}`,
            `update lockstep.${table} set ${column} = (select o.${column} from lockstep.${table} o limit 1) where ${where}`,
          ]),
      ];
      for (const [what, text] of tries) {
        const result = await attempt(text);
        if (result !== REFUSED && result !== GENERATED && result !== 0) broken.push(`${table}: ${what}: ${result}`);
      }
    }
    // When a key was last shown says nothing about who is let in.
    expect(broken).toEqual(["credential: update seen_at: 1"]);
  });

  it("calls no function in the name of another device", async () => {
    const functions = await queryOnce<{ call: string; name: string }>(
      db.work,
      `select p.proname as name, format('select * from lockstep.%I(%s)', p.proname, (
         select string_agg(case a.name when 'p_device' then format('%I => %L', a.name, 'other') else format('%I => null::%s', a.name, format_type(a.type, null)) end, ', ')
         from unnest(p.proargnames[1:p.pronargs], p.proargtypes::oid[]) a (name, type))) as call
       from pg_proc p
       where p.pronamespace = 'lockstep'::regnamespace and 'p_device' = any(p.proargnames)
         and has_function_privilege($1::text, p.oid, 'execute')`,
      [new URL(url).username],
    );
    const allowed: string[] = [];
    for (const { name, call } of functions) {
      if ((await attempt(call)) !== REFUSED) allowed.push(name);
    }
    expect(functions.length).toBeGreaterThan(20);
    // These two only read. An order that is nothing by itself is tried below.
    expect(allowed.sort()).toEqual(["only_on", "order_command", "read_heads"]);
  });

  it.each([
    ["trust a key", "select lockstep.trust_key('operator', 'eve', null, null, null, 'eve', false, null, false)"],
    ["add a key", "select lockstep.add_key('operator', 'eve', 'ssh', 'SHA256:y', null, 'eve', true)"],
    ["revoke a key", "select lockstep.revoke_key('device', 'other', null, 'eve', '')"],
    [
      "append to the log",
      "select lockstep.append(gen_random_uuid(), gen_random_uuid(), 2, 'mine', 1, 'eve', '', '{}', '{}', '{}', '{}')",
    ],
    ["make a login", "select lockstep.make_device_login('other', 'eve', 'x', 'eve')"],
    ["end a login", "select lockstep.end_device_login('other', 'eve')"],
    ["give itself rights", "select lockstep.grant_to_devices()"],
    ["read passwords", "select rolpassword from pg_authid"],
    ["read tokens", "select * from lockstep.enroll_token"],
    ["make a table", "create table lockstep.mine ()"],
    [
      "replace a function",
      "create or replace function lockstep.own_device() returns text language sql as 'select ''other''::text'",
    ],
    ["drop the schema", "drop schema lockstep cascade"],
    ["become the owner", "set session authorization OWNER"],
    [
      "have a replica freed",
      "select lockstep.order_command(gen_random_uuid(), null, 'x', 'other', 'destroy', '{}', 'eve', '', null, '0')",
    ],
    [
      "have a replica released",
      "select lockstep.order_command(gen_random_uuid(), null, 'x', 'other', 'release', '{}', 'eve', '', null, '0')",
    ],
  ])("cannot %s", async (_, text) => {
    const [{ owner } = {}] = await queryOnce<{ owner: string }>(db.work, "select current_user as owner");
    expect(await attempt(text.replace("OWNER", `"${owner}"`))).toBe(REFUSED);
  });

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
        "select outcome, how from lockstep.enroll_key($1, $2, 'x509', 'sha256:' || $2, null, 'mine', true, $3, null, null, '')",
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
