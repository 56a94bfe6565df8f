// Makes many small repositories on the one device of a cluster, faster than through Lockstep.
import { randomUUID } from "node:crypto";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "../dist/client/client.js";
import { sql } from "./harness.mjs";
import { Branch } from "./http-push.mjs";

const FIRST = "r/0";

/**
 * Gives a device `count` repositories r/0, r/1 … of one commit. One is made and pushed to through Lockstep. The others
 * are copies of its files and rows, each with an id of its own.
 */
export async function fill(cluster, count) {
  const [device] = cluster.devices;
  const client = new Client({ socket: device.socket });
  await client.call("CreateRepository", { repository: FIRST }, { timeoutMs: 60_000 });
  client[Symbol.dispose]();
  await new Branch(`${device.gate.url}/${FIRST}.git`, "main").push();
  const [{ id: template }] = await sql(cluster, "select id from lockstep.repository where name = $1", [FIRST]);
  const copies = Array.from({ length: count - 1 }, (_, index) => ({ id: randomUUID(), name: `r/${index + 1}` }));
  const values = [template, copies.map(({ id }) => id), copies.map(({ name }) => name)];
  await sql(cluster, COPY_ROWS, values);
  await sql(cluster, "analyze");
  const from = join(device.root, `${FIRST}.git`);
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
