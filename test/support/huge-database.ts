// A database with a million rows: one huge repository among 30,000 (../integration/statements-at-size.test.ts).
import type pg from "pg";
import { beforeAll } from "vitest";
import type { Incarnation } from "../../src/domain.ts";
import { administer } from "./administer.ts";
import { database, db, makeDatabaseOfFile } from "./file-database.ts";
import { incarnation } from "./store-rows.ts";

export const HUGE = "00000000-0000-4000-8000-000000000001";
export const SMALL = "00000000-0000-4000-8000-000000000002";
export const WRITE = "00000000-0000-4000-8000-000000000003";
/** Refs of the huge repository, and updates in its log, five a version. */
export const REFS = 1_000_000;
export const VERSIONS = 200_000;
export const REPOSITORIES = 30_000;
/** Of replicas that one pass of the repair loop compares with their heads. */
export const PAGE = 500;

/** The device of the caller. `makeHugeDatabase` sets it before the first test of its file. */
export let me: Incarnation;

/** No statistics but those that a test asks for. Rows are made without their triggers and foreign keys, which takes half the time. */
async function fill(client: pg.Client): Promise<void> {
  await client.query("set session_replication_role = replica");
  const { rows } = await client.query<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = 'lockstep' and tablename not in ('migration', 'schema_level')",
  );
  for (const { name } of rows) await client.query(`alter table lockstep.${name} set (autovacuum_enabled = off)`);
  const devices = "array['a', 'b', 'c']";
  await client.query(
    `insert into lockstep.repository (id, name, object_format, digest_key, head_digest, head_version)
     select gen_random_uuid(), 'r/' || i, 'sha1', 'k'::bytea, 'd'::bytea, 0 from generate_series(1, $1::int) i
     union all select '${HUGE}'::uuid, 'huge', 'sha1', 'k'::bytea, 'd'::bytea, $2 union all select '${SMALL}'::uuid, 'small', 'sha1', 'k'::bytea, 'd'::bytea, 0`,
    [REPOSITORIES, VERSIONS],
  );
  await client.query(
    `insert into lockstep.replica (repository_id, device, version, state)
     select id, device, head_version, 'active' from lockstep.repository, unnest(${devices}) device`,
  );
  await client.query(
    `insert into lockstep.repository_ref (repository_id, name, value)
     select '${HUGE}', convert_to('refs/heads/' || i, 'UTF8'), repeat('a', 40)::bytea from generate_series(1, $1::int) i`,
    [REFS],
  );
  await client.query(
    `insert into lockstep.ref_log (repository_id, version, write_id, device, fence, author, digest)
     select '${HUGE}', i, gen_random_uuid(), 'a', 1, 'ada', 'd' from generate_series(1, $1::int) i`,
    [VERSIONS],
  );
  await client.query(
    "insert into lockstep.log_trimmed (repository_id, position) select id, 1 from lockstep.repository",
  );
  await client.query(
    `insert into lockstep.ref_log_update (repository_id, version, name, old_value, new_value)
     select '${HUGE}', v, convert_to('refs/heads/' || (v * 5 + i), 'UTF8'), null, repeat('a', 40)::bytea
     from generate_series(1, $1::int) v, generate_series(1, 5) i`,
    [VERSIONS],
  );
  await client.query(
    `insert into lockstep.write (id, repository_id, device, fence, author, base_version, status, version, decided_at)
     select gen_random_uuid(), '${HUGE}'::uuid, 'a', 1, 'ada', i - 1, 'landed', i, now() from generate_series(1, $1::int) i
     union all select '${WRITE}'::uuid, '${SMALL}'::uuid, 'a', 1, 'ada', 0, 'staged', null::int, null::timestamptz`,
    [VERSIONS],
  );
  await client.query(
    `insert into lockstep.sync_event (repository_id, device, from_device, from_version, version, bytes, refs_changed, duration_ms, result)
     select id, device, 'b', 0, 0, 0, 0, 0, 'ok' from lockstep.repository, unnest(${devices}) device, generate_series(1, 2)`,
  );
  await client.query(
    `insert into lockstep.push_event (at, device, repository_id, repository, author, way, result, duration_ms)
     select now() - i * interval '1 second', 'a', case when i % 2 = 0 then '${HUGE}'::uuid end, 'huge', 'ada', 'http', 'landed', 1
     from generate_series(1, $1::int) i`,
    [VERSIONS],
  );
  await client.query(
    `insert into lockstep.pull_event (at, device, repository_id, repository, author, way, what, result, wait_ms, duration_ms)
     select now() - i * interval '1 second', 'a', '${HUGE}'::uuid, 'huge', 'ada', 'http', 'read', 'current', 1, 1
     from generate_series(1, $1::int) i`,
    [VERSIONS],
  );
  await client.query(
    `insert into lockstep.command (id, repository_id, repository, device, command, author, state, ended_at)
     select gen_random_uuid(), r.id, r.name, d.device, 'sync', 'ada', d.state, case when d.state = 'done' then now() end
     from lockstep.repository r, (values ('a', 'done'), ('c', 'queued')) d (device, state)`,
  );
  await client.query(
    `insert into lockstep.command (id, repository_id, repository, device, command, author)
     values ('${WRITE}', '${SMALL}', 'small', 'a', 'gc', 'ada')`,
  );
}

/** Makes the database before the tests of the calling file. */
export function makeHugeDatabase(): void {
  makeDatabaseOfFile();
  beforeAll(async () => {
    me = await incarnation(db, { device: "a" });
    for (const device of ["b", "c"]) await incarnation(db, { device });
    await administer(database.url, fill);
  }, 300_000);
}

/** A statement of the store, and how many rows it may touch. `untilAnalyzed`: while PostgreSQL has no statistics. */
export interface StatementAtSize {
  readonly call: () => Promise<unknown>;
  readonly rows: number;
  readonly untilAnalyzed?: number;
}

/** Rows that a statement may touch, whatever the tables hold. */
export const FEW = 300;
/** What grows with the tables touches no more rows than this for each row that it is about. */
export const TIMES = 5;
