// What a session with the login of one device may do in PostgreSQL: each statement on each table, and each function.
import { describe, expect, it } from "vitest";
import { queryOnce } from "../../src/store/database/database.ts";
import { attempt, makeDeviceLogin, REFUSED, url } from "../support/device-login-rows.ts";
import { db } from "../support/file-database.ts";

/** The column has no values but the database's own. */
const GENERATED = "428C9";

makeDeviceLogin();

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
});
