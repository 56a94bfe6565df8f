// Measures how much PostgreSQL keeps of each push, before and after the log and the outcomes of writes are trimmed, and
// how fast they are trimmed. The pushes are rows that SQL makes, one ref each. A second connection lands writes
// meanwhile and tells how long each takes.
import { join } from "node:path";
import pg from "pg";
import { startPostgres } from "../dist/demo/postgres.js";
import { Database } from "../dist/store/database/database.js";
import { migrate } from "../dist/store/database/migrate.js";
import { claimTrim, trimLog, trimWrites } from "../dist/store/retention/trim-rows.js";
import { inFolder, median, report } from "./harness.mjs";

const PUSHES = Number(process.env.BENCH_PUSHES ?? 100_000);
const KEPT = PUSHES / 10;
const BATCH = 500;

export const benchmarks = {
  "trim the log": () =>
    inFolder(async (dir) => {
      const server = await startPostgres({ dir: join(dir, "db"), env: process.env, isRoot: process.getuid() === 0 });
      const client = new pg.Client({ connectionString: server.url });
      try {
        await migrate(server.url);
        await client.connect();
        const db = new Database({ url: server.url, applicationName: "bench" });
        await trim(client, db).finally(() => db[Symbol.asyncDispose]());
      } finally {
        await client.end();
        await server[Symbol.asyncDispose]();
      }
    }),
};

async function trim(client, db) {
  const repository = await fill(client);
  const before = await bytes(client);
  const alone = await bumps(client, repository, 100);
  const startedAt = performance.now();
  const trimming = trimAll(db, repository);
  const beside = [];
  let isOver = false;
  trimming.finally(() => (isOver = true));
  while (!isOver) beside.push(...(await bumps(client, repository, 10)));
  const rows = await trimming;
  const seconds = (performance.now() - startedAt) / 1000;
  await client.query("vacuum full");
  const after = await bytes(client);
  const [baseline, ours] = [median(alone), median(beside)];
  await report({
    name: "trim the log",
    unit: "ms",
    aim: "≤ 2",
    baseline,
    ours,
    ratio: ours / baseline,
    bytesBefore: before / PUSHES,
    bytesAfter: after / PUSHES,
    rowsPerSecond: rows / seconds,
    note:
      `to lock a repository as a push does, beside the trimming and alone; ${PUSHES} pushes take ${Math.round(before / PUSHES)} bytes each ` +
      `in PostgreSQL, and ${Math.round(after / PUSHES)} once ${KEPT} of them are kept; ${Math.round(rows / seconds)} rows a second are deleted`,
  });
}

/** Makes the rows of pushes. The same statements as those of a push make them, without the refs on a disk. */
async function fill(client) {
  const { rows } = await client.query("select gen_random_uuid() as id");
  const { id } = rows[0];
  await client.query("insert into lockstep.device (name) values ('repo001')");
  await client.query(
    `insert into lockstep.repository (id, name, object_format, digest_key, head_digest, head_version)
     values ($1, 'bench', 'sha1', 'k', sha256('d'), $2)`,
    [id, PUSHES],
  );
  await client.query(
    "insert into lockstep.replica (repository_id, device, version, state) values ($1, 'repo001', $2, 'active')",
    [id, PUSHES],
  );
  await client.query(
    `insert into lockstep.ref_log (repository_id, version, write_id, device, fence, author, digest, landed_at)
     select $1, v, gen_random_uuid(), 'repo001', 1, 'ada', sha256(v::text::bytea), now() - interval '1 year'
     from generate_series(1, $2::int) v`,
    [id, PUSHES],
  );
  await client.query(
    `insert into lockstep.ref_log_update (repository_id, version, name, old_value, new_value)
     select $1, v, 'refs/heads/main'::bytea, substr(encode(sha256((v - 1)::text::bytea), 'hex'), 1, 40)::bytea,
       substr(encode(sha256(v::text::bytea), 'hex'), 1, 40)::bytea from generate_series(1, $2::int) v`,
    [id, PUSHES],
  );
  await client.query(
    `insert into lockstep.write (id, repository_id, device, fence, author, base_version, status, version, decided_at)
     select l.write_id, l.repository_id, 'repo001', 0, 'ada', l.version - 1, 'landed', l.version,
       case when l.version > $1 then now() else now() - interval '1 year' end from lockstep.ref_log l`,
    [PUSHES - KEPT],
  );
  await client.query("vacuum analyze");
  return id;
}

async function bytes(client) {
  const { rows } = await client.query(
    `select sum(pg_total_relation_size(c.oid))::float8 as bytes from pg_class c
     where c.relnamespace = 'lockstep'::regnamespace and c.relname in ('ref_log', 'ref_log_update', 'write')`,
  );
  return rows[0].bytes;
}

/** Takes the lock that each bump takes, so many times. Returns how long each took, in milliseconds. */
async function bumps(client, repository, count) {
  const times = [];
  for (let index = 0; index < count; index += 1) {
    const startedAt = performance.now();
    await client.query("update lockstep.repository set head_digest = head_digest where id = $1", [repository]);
    times.push(performance.now() - startedAt);
  }
  return times;
}

async function trimAll(db, repository) {
  let rows = 0;
  for (let more = true; more; ) {
    const claim = await claimTrim(db, repository, { versions: BigInt(KEPT), days: 0 }, 1_000);
    more = claim?.more ?? true;
    for (let deleted = BATCH; deleted === BATCH; rows += deleted) deleted = await trimLog(db, repository, BATCH);
  }
  for (let deleted = BATCH; deleted === BATCH; rows += deleted) deleted = await trimWrites(db, 30, BATCH);
  return rows;
}
