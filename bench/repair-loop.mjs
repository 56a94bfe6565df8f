// Measures one pass of the repair loop: a device has 1,000,000 replicas, and 100 of them need work. The baseline looks
// at all replicas.
import pg from "pg";
import { compare, inFolder, time, withCluster } from "./harness.mjs";

const REPLICAS = Number(process.env.BENCH_REPLICAS ?? 1_000_000);
/** Of each kind: missing, broken, behind. */
const KINDS = [34, 33, 33];
const DEVICE = "bench";
const FIRST = "00000000-0000-0000-0000-000000000000";

export const benchmarks = {
  "repair loop": () =>
    inFolder((dir) =>
      withCluster(
        dir,
        async (cluster) => {
          const client = new pg.Client({ connectionString: cluster.database_url });
          await client.connect();
          try {
            const search = await fill(client);
            const plans = await explain(client, search);
            const found = await rolledBack(client, async () => (await client.query(...search)).rows[0].enqueued);
            await compare({
              name: "repair loop",
              aim: "ours < 50 ms",
              baseline: () => rolledBack(client, () => time(() => client.query(EVERYTHING, [DEVICE]))),
              ours: () => rolledBack(client, () => time(() => client.query(...search))),
              note: `${REPLICAS} replicas, ${found} commands enqueued`,
              detail: () => plans,
            });
          } finally {
            await client.end();
          }
        },
        1,
      ),
    ),
};

/** Finds the same replicas by a look at all of them. */
const EVERYTHING = `select r.id from lockstep.replica p join lockstep.repository r on r.id = p.repository_id
  where p.device = $1 and p.state in ('pending', 'active', 'broken') and (p.version < r.head_version or p.state <> 'active')`;

/** Makes the rows and returns the statement of a pass. */
async function fill(client) {
  await client.query("set session_replication_role = replica");
  const { rows } = await client.query(
    "select outcome, fence from lockstep.take_over($1, gen_random_uuid(), gen_random_uuid(), '1 day', '', '', '', '', '')",
    [DEVICE],
  );
  await client.query(
    `insert into lockstep.repository (id, name, object_format, digest_key, head_digest, head_version)
     select gen_random_uuid(), 'bench/' || i, 'sha1', 'k'::bytea, 'd'::bytea, 1 from generate_series(1, $1::int) i`,
    [REPLICAS],
  );
  const [missing, broken, behind] = KINDS;
  await client.query(
    `insert into lockstep.replica (repository_id, device, version, state)
     select id, $1, case when place <= $2::int + $3::int + $4::int then 0 else 1 end,
       case when place <= $2::int then 'pending' when place <= $2::int + $3::int then 'broken' else 'active' end
     from (select id, row_number() over (order by id) as place from lockstep.repository where name like 'bench/%') r`,
    [DEVICE, missing, broken, behind],
  );
  await client.query(
    `insert into lockstep.ref_log (repository_id, version, write_id, device, fence, author, digest)
     select repository_id, 1, gen_random_uuid(), 'other', 1, 'bench', 'd' from lockstep.replica
     where device = $1 and state = 'active' and version = 0`,
    [DEVICE],
  );
  await client.query("set session_replication_role = origin");
  await client.query("vacuum analyze");
  const { rows: last } = await client.query("select max(position) as position from lockstep.ref_log");
  const [{ fence }] = rows;
  const text = "select * from lockstep.enqueue_repairs($1, $2, false, 0, $3, $4, 500, 400, interval '3 minutes')";
  // A page from the middle, where nothing is to be found.
  const page = FIRST.replace("0", "8");
  return [text, [DEVICE, fence, last[0].position, page]];
}

/** Returns the rows that a pass touches, and the plans of its statements. */
async function explain(client, search) {
  const count =
    "select coalesce(sum(seq_tup_read), 0) + coalesce(sum(idx_tup_fetch), 0) as touched from pg_stat_xact_user_tables";
  return await rolledBack(client, async () => {
    const plans = [];
    const note = ({ message }) => plans.push(message);
    client.on("notice", note);
    await client.query("load 'auto_explain'");
    for (const [name, value] of [
      ["auto_explain.log_min_duration", "0"],
      ["auto_explain.log_analyze", "on"],
      ["auto_explain.log_nested_statements", "on"],
      ["auto_explain.log_level", "notice"],
      ["client_min_messages", "notice"],
    ])
      await client.query(`set local ${name} = '${value}'`);
    const before = await client.query(count);
    await client.query(...search);
    const after = await client.query(count);
    client.off("notice", note);
    return { rowsTouched: Number(after.rows[0].touched) - Number(before.rows[0].touched), plans };
  });
}

async function rolledBack(client, work) {
  await client.query("begin");
  try {
    return await work();
  } finally {
    await client.query("rollback");
  }
}
