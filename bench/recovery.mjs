// Measures the start of a sidecar that was killed while ten repositories were being written. The device has 10,000
// repositories; in the baseline it has only those ten.
import { randomUUID } from "node:crypto";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "../dist/client/client.js";
import { compare, inFolder, serveAgain, sql, withCluster } from "./harness.mjs";
import { Branch } from "./http-push.mjs";

const MANY = Number(process.env.BENCH_REPOSITORIES ?? 10_000);
const WRITTEN = Array.from({ length: 10 }, (_, index) => `r/${index}`);
const CALL = { timeoutMs: 60_000 };

export const benchmarks = {
  "recovery at start": () =>
    inFolder((dir) =>
      withCluster(
        join(dir, "few"),
        (few) =>
          withCluster(
            join(dir, "many"),
            async (many) => {
              await fill(few, WRITTEN.length);
              await fill(many, MANY);
              const [baseline, ours] = [new Victim(few), new Victim(many)];
              try {
                await compare({
                  name: "recovery at start",
                  aim: "≤ 1.2",
                  baseline: () => baseline.recover(),
                  ours: () => ours.recover(),
                  note: `${MANY} repositories, ${WRITTEN.length} of them being written when the sidecar was killed, against these ${WRITTEN.length} only`,
                });
              } finally {
                await Promise.all([baseline.stop(), ours.stop()]);
              }
            },
            1,
          ),
        1,
      ),
    ),
};

/** A device whose sidecar is killed in the middle of ten pushes, in each round. */
class Victim {
  #cluster;
  #device;
  #sidecar;
  #rounds = 0;

  constructor(cluster) {
    this.#cluster = cluster;
    this.#device = cluster.devices[0];
    this.#sidecar = { stop: async (signal) => process.kill(this.#device.pid, signal) };
  }

  /** Kills and restarts the sidecar. Returns the milliseconds from its start until all ten repositories may be read. */
  async recover() {
    this.#rounds += 1;
    const paths = WRITTEN.map((name) => join(this.#device.root, `${name}.git`));
    for (const path of paths) holdPushes(path);
    const pushes = WRITTEN.map((name) =>
      new Branch(`${this.#device.gate.url}/${name}.git`, `held/${this.#rounds}`).push(),
    );
    const ended = Promise.allSettled(pushes);
    for (const path of paths) while (!existsSync(join(path, "reached"))) await sleep(5);
    await this.#sidecar.stop("SIGKILL");
    await ended;
    const startedAt = performance.now();
    this.#sidecar = await serveAgain(this.#device);
    const client = new Client({ socket: this.#device.socket });
    await Promise.all(WRITTEN.map((repository) => client.call("BeforeRead", { repository }, CALL)));
    const settledMs = performance.now() - startedAt;
    client[Symbol.dispose]();
    const [{ staged }] = await sql(
      this.#cluster,
      "select count(*) as staged from lockstep.write where status = 'staged'",
    );
    const locks = paths
      .flatMap((path) => readdirSync(join(path, "refs"), { recursive: true }))
      .filter((name) => name.endsWith(".lock"));
    if (staged !== "0" || locks.length > 0) throw new Error(`not settled: ${staged} writes, ${locks}`);
    return settledMs;
  }

  stop() {
    return this.#sidecar.stop("SIGTERM");
  }
}

/** Holds every push to held/ for ever, with its refs locked and nothing decided. Such a push makes a file "reached". */
function holdPushes(path) {
  rmSync(join(path, "reached"), { force: true });
  const script = `#!/bin/sh
grep -q ' refs/heads/held/' && test "$1" = prepared || exit 0
: >'${path}/reached'
exec sleep 600
`;
  writeFileSync(join(path, "hooks", "reference-transaction"), script, { mode: 0o755 });
}

/**
 * Gives a device `count` repositories r/0, r/1 … of one commit. One is made and pushed to through Lockstep. The others
 * are copies of its files and rows, each with an id of its own.
 */
async function fill(cluster, count) {
  const [device] = cluster.devices;
  const client = new Client({ socket: device.socket });
  await client.call("CreateRepository", { repository: WRITTEN[0] }, CALL);
  client[Symbol.dispose]();
  await new Branch(`${device.gate.url}/${WRITTEN[0]}.git`, "main").push();
  const [{ id: template }] = await sql(cluster, "select id from lockstep.repository where name = $1", [WRITTEN[0]]);
  const copies = Array.from({ length: count - 1 }, (_, index) => ({ id: randomUUID(), name: `r/${index + 1}` }));
  const values = [template, copies.map(({ id }) => id), copies.map(({ name }) => name)];
  await sql(cluster, COPY_ROWS, values);
  await sql(cluster, "analyze");
  const from = join(device.root, `${WRITTEN[0]}.git`);
  for (const { id, name } of copies) copyReplica(from, join(device.root, `${name}.git`), template, id);
}

const COPY_ROWS = `with copy as (select * from unnest($2::uuid[], $3::text[]) c (id, name)),
  repository as (
    insert into lockstep.repository (id, name, object_format, digest_key, head_version, head_digest)
    select c.id, c.name, object_format, digest_key, head_version, head_digest from lockstep.repository r, copy c where r.id = $1),
  entry as (
    insert into lockstep.ref_log (repository_id, version, write_id, device, fence, author, digest)
    select c.id, version, gen_random_uuid(), device, fence, author, digest from lockstep.ref_log l, copy c where l.repository_id = $1),
  change as (
    insert into lockstep.ref_log_update (repository_id, version, name, old_value, new_value)
    select c.id, version, u.name, old_value, new_value from lockstep.ref_log_update u, copy c where u.repository_id = $1),
  held as (
    insert into lockstep.repository_ref (repository_id, name, value)
    select c.id, f.name, value from lockstep.repository_ref f, copy c where f.repository_id = $1)
  insert into lockstep.replica (repository_id, device, version, state, fence)
  select c.id, device, version, state, p.fence from lockstep.replica p, copy c where p.repository_id = $1`;

function copyReplica(from, to, template, id) {
  cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  for (const file of ["lockstep.config", "lockstep.version"])
    writeFileSync(join(to, file), readFileSync(join(from, file), "utf8").replace(template, id));
}
