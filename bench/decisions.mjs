// Measures how many writes a second PostgreSQL decides for three devices, each with as many at once as its pool has
// connections: in one repository, and in a thousand. Only rows: no git, no disk of a device, no sidecar. The baseline is
// the least that a decision could be: as many connections update one row, or a thousand, and commit.
import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import pg from "pg";
import { startPostgres } from "../dist/demo/postgres.js";
import { differenceOf, EMPTY_DIGEST } from "../dist/digest.js";
import { Database } from "../dist/store/database/database.js";
import { migrate } from "../dist/store/database/migrate.js";
import { landWrite, stageWrite } from "../dist/store/write/writes.js";
import { compare, inFolder } from "./harness.mjs";

const DEVICES = 3;
/** The pool for pushes has so many connections. */
const AT_ONCE = 8;
const WINDOW_MS = 2_500;
const MANY = 1_000;
const KEY = Buffer.from("k");

const decisions = (name, repositories, aim) => () =>
  inFolder(async (dir) => {
    const server = await startPostgres({ dir: join(dir, "db"), env: process.env, isRoot: process.getuid() === 0 });
    const devices = [];
    const bare = [];
    try {
      await migrate(server.url);
      for (let index = 0; index < DEVICES * AT_ONCE; index += 1) bare.push(await connected(server.url));
      await fill(bare[0], repositories);
      for (const device of names()) devices.push(new Device(server.url, device));
      const any = () => 1 + Math.floor(Math.random() * repositories);
      const pushers = devices.flatMap((device) =>
        Array.from({ length: AT_ONCE }, (_, n) => () => device.decide(any(), `refs/heads/${device.name}/${n}`)),
      );
      const update = "update bench_head set version = version + 1 where id = $1 returning version";
      await compare({
        name,
        unit: "decisions/s",
        aim,
        baseline: () => perSecond(bare.map((client) => () => client.query(update, [any()]))),
        ours: () => perSecond(pushers),
        note: `${DEVICES} devices, ${AT_ONCE} writes at once each, to branches of their own`,
      });
    } finally {
      for (const { db } of devices) await db[Symbol.asyncDispose]();
      for (const client of bare) await client.end();
      await server[Symbol.asyncDispose]();
    }
  });

export const benchmarks = {
  "decisions alone": decisions("decisions alone", 1, "≥ 1,000 a second"),
  "decisions in many repositories": decisions("decisions in many repositories", MANY),
};

/** A device without a disk. All its writes are based on the first version. */
class Device {
  #held = new Map();

  constructor(url, name) {
    this.name = name;
    this.db = new Database({ url, applicationName: `bench ${name}` });
  }

  /** Lands one write of one ref in a repository. */
  async decide(repository, name) {
    const me = { device: this.name, fence: 1n };
    const [key, newValue] = [`${repository} ${name}`, randomBytes(20).toString("hex")];
    const updates = [{ name, oldValue: this.#held.get(key) ?? null, newValue }];
    const write = {
      writeId: randomUUID(),
      repositoryId: idOf(repository),
      author: "bench",
      base: 1n,
      baseDigest: EMPTY_DIGEST,
    };
    const staged = await stageWrite(this.db, me, { ...write, names: [name] });
    if (staged.outcome !== "staged") throw new Error(`staging: ${staged.outcome}`);
    const landed = await landWrite(this.db, me, { ...write, updates, difference: differenceOf(KEY, updates) });
    if (landed.outcome !== "landed") throw new Error(`landing: ${landed.outcome}`);
    this.#held.set(key, newValue);
  }
}

function idOf(repository) {
  return `00000000-0000-0000-0000-${String(repository).padStart(12, "0")}`;
}

function names() {
  return Array.from({ length: DEVICES }, (_, index) => `repo00${index + 1}`);
}

async function connected(connectionString) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return client;
}

async function fill(client, repositories) {
  await client.query("create table bench_head (id int primary key, version bigint)");
  await client.query("insert into bench_head select n, 0 from generate_series(1, $1::int) n", [repositories]);
  await client.query("insert into lockstep.device (name, fence) select unnest($1::text[]), 1", [names()]);
  const ids = Array.from({ length: repositories }, (_, index) => idOf(index + 1));
  await client.query(
    `insert into lockstep.repository (id, name, object_format, digest_key, head_digest, head_version)
     select id, 'r/' || id, 'sha1', $2, $3, 1 from unnest($1::uuid[]) id`,
    [ids, KEY, EMPTY_DIGEST],
  );
  await client.query(
    `insert into lockstep.replica (repository_id, device, state)
     select id, device, 'active' from unnest($1::uuid[]) id, unnest($2::text[]) device`,
    [ids, names()],
  );
  await client.query(
    `insert into lockstep.ref_log (repository_id, version, write_id, device, fence, author, digest)
     select id, 1, gen_random_uuid(), $2, 1, 'bench', $3 from unnest($1::uuid[]) id`,
    [ids, names()[0], EMPTY_DIGEST],
  );
  await client.query("analyze");
}

/** Runs each loop until the window is over. Returns how many rounds of all loops ended within it, a second. */
async function perSecond(loops) {
  const startedAt = performance.now();
  let ended = 0;
  await Promise.all(
    loops.map(async (round) => {
      for (;;) {
        await round();
        if (performance.now() - startedAt > WINDOW_MS) return;
        ended += 1;
      }
    }),
  );
  return (ended / WINDOW_MS) * 1000;
}
