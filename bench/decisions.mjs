// Measures how many writes a second PostgreSQL decides for three devices, in one repository and in a thousand. Only
// rows: no git, no disk of a device, no sidecar. In one repository a device decides one group of pushes after another, as
// a sidecar does when pushes wait. In a thousand it decides as many pushes at once as its pool has connections. The
// baseline is the least that a decision could be: as many connections update one row, or a thousand, and commit.
import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import pg from "pg";
import { startPostgres } from "../dist/demo/postgres.js";
import { differenceOf, EMPTY_DIGEST } from "../dist/digest.js";
import { Database } from "../dist/store/database/database.js";
import { migrate } from "../dist/store/database/migrate.js";
import { landTogether } from "../dist/store/write/land-together.js";
import { landWrite } from "../dist/store/write/writes.js";
import { compare, inFolder } from "./harness.mjs";

const DEVICES = 3;
/** The pool for pushes has so many connections. */
const AT_ONCE = 8;
/** The pushes of a group. A sidecar takes at most 32. */
const GROUP = 16;
const WINDOW_MS = 2_500;
const MANY = 1_000;
const KEY = Buffer.from("k");

const decisions =
  (name, repositories, { pushers: pushersOf, decided, note, aim }) =>
  () =>
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
        const pushers = devices.flatMap((device) => pushersOf(device, any));
        const update = "update bench_head set version = version + 1 where id = $1 returning version";
        await compare({
          name,
          unit: "decisions/s",
          aim,
          baseline: () => perSecond(bare.map((client) => () => client.query(update, [any()]))),
          ours: async () => decided * (await perSecond(pushers)),
          note,
        });
      } finally {
        for (const { db } of devices) await db[Symbol.asyncDispose]();
        for (const client of bare) await client.end();
        await server[Symbol.asyncDispose]();
      }
    });

const branch = (device, n) => `refs/heads/${device.name}/${n}`;
const numbers = (length) => Array.from({ length }, (_, n) => n);

export const benchmarks = {
  "decisions alone": decisions("decisions alone", 1, {
    pushers: (device) => [
      () =>
        device.decideTogether(
          1,
          numbers(GROUP).map((n) => branch(device, n)),
        ),
    ],
    decided: GROUP,
    note: `${DEVICES} devices, groups of ${GROUP} writes, to branches of their own`,
    aim: "≥ 1,000 a second",
  }),
  "decisions in many repositories": decisions("decisions in many repositories", MANY, {
    pushers: (device, any) => numbers(AT_ONCE).map((n) => () => device.decide(any(), branch(device, n))),
    decided: 1,
    note: `${DEVICES} devices, ${AT_ONCE} writes at once each, to branches of their own`,
  }),
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
    const { base, baseDigest, writes } = this.#request(repository, [name]);
    const write = { ...writes[0], base, baseDigest, atOnceBy: "bench" };
    const landed = await landWrite(this.db, this.#me, write);
    if (landed.outcome !== "landed") throw new Error(`landing: ${landed.outcome}`);
    this.#hold(repository, writes);
  }

  /** Lands a write for each ref, together. */
  async decideTogether(repository, names) {
    const request = this.#request(repository, names);
    if (!(await landTogether(this.db, this.#me, request))) throw new Error("landing: not together");
    this.#hold(repository, request.writes);
  }

  get #me() {
    return { device: this.name, fence: 1n };
  }

  #request(repository, names) {
    const repositoryId = idOf(repository);
    const writes = names.map((name) => {
      const oldValue = this.#held.get(`${repository} ${name}`) ?? null;
      const updates = [{ name, oldValue, newValue: randomBytes(20).toString("hex") }];
      const difference = differenceOf(KEY, updates);
      return { writeId: randomUUID(), repositoryId, author: "bench", updates, difference };
    });
    return { repositoryId, base: 1n, baseDigest: EMPTY_DIGEST, writes };
  }

  #hold(repository, writes) {
    for (const { updates } of writes)
      for (const { name, newValue } of updates) this.#held.set(`${repository} ${name}`, newValue);
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
