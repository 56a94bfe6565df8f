// The login of the device `mine`, and rows of another device that it must not change.
import { randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, beforeAll, expect } from "vitest";
import type { Incarnation } from "../../src/domain.ts";
import { Database, queryOnce } from "../../src/store/database/database.ts";
import { createRepository } from "../../src/store/repository/repositories.ts";
import { landWrite } from "../../src/store/write/writes.ts";
import { administer } from "./administer.ts";
import { DeviceLogins } from "./device-logins.ts";
import { database, db, makeDatabaseOfFile } from "./file-database.ts";
import { create, incarnation, stage } from "./store-rows.ts";

export const ONE = "a".repeat(40);

export const REFUSED = "42501";

// `makeDeviceLogin` sets these before the first test of its file.
export let logins: DeviceLogins;

export let url: string;

/** The sessions of the device `mine`. */
export let own: Database;

export let mine: Incarnation;

export let other: Incarnation;

export let repository: string;

/** A write that `other` has staged. */
export let staged: Awaited<ReturnType<typeof stage>>;

/** Makes the database of the calling file with a repository on the devices `mine` and `other`, and a login for `mine`. */
export function makeDeviceLogin(): void {
  // The roles have rights in the database, which goes first: vitest runs the last of these first.
  afterAll(async () => void (await logins?.[Symbol.asyncDispose]()));
  makeDatabaseOfFile();
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
}

/** A row of the other device, or of nobody, in each table that the above left empty. */
const ROWS = [
  "insert into lockstep.adoption values (REPOSITORY, 'other', 'same', null)",
  "insert into lockstep.unknown_directory (device, path, repository) values ('other', 'x.git', 'x')",
  "insert into lockstep.kept_on_disk values ('other', 'lost', 1, 1)",
  "insert into lockstep.setting values ('keep.writes', '\"30d\"', 'ada')",
  "insert into lockstep.former_name values ('old', REPOSITORY, now() + interval '1 day')",
  "insert into lockstep.log_trimmed values (REPOSITORY, 0)",
  `insert into lockstep.turn (repository_id, write_id, device, author, reason, expires_at)
   values (REPOSITORY, gen_random_uuid(), 'other', 'ada', '', now())`,
  `insert into lockstep.command (id, repository_id, repository, device, command, author, state, ended_at)
   values (gen_random_uuid(), REPOSITORY, 'team/app', 'other', 'verify', 'ada', 'done', now())`,
  `insert into lockstep.sync_event (repository_id, device, from_device, from_version, version, bytes, refs_changed, duration_ms, result)
   values (REPOSITORY, 'other', 'mine', 0, 1, 0, 0, 0, 'ok')`,
  `insert into lockstep.push_event (at, device, repository, author, way, result, duration_ms)
   values (now(), 'other', 'team/app', 'ada', 'http', 'landed', 1)`,
  `insert into lockstep.pull_event (at, device, repository, author, way, what, result, wait_ms, duration_ms)
   values (now(), 'other', 'team/app', 'ada', 'http', 'read', 'current', 1, 1)`,
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
export async function attempt(text: string, values: unknown[] = []): Promise<number | string> {
  return await administer(url, async (client) => {
    await client.query("begin");
    return await client.query(text, values).then(
      ({ rowCount }) => rowCount ?? 0,
      (error: pg.DatabaseError) => error.code ?? error.message,
    );
  });
}
