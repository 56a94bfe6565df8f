// The figures of the cluster, on rows that a test made: they agree with what `lockstep status` lists.
import { beforeAll, expect, it } from "vitest";
import { readClusterFigures } from "../../src/store/operator/cluster-figures.ts";
import { listStatus } from "../../src/store/operator/status.ts";
import { administer } from "../support/administer.ts";
import { database, db, makeDatabaseOfFile } from "../support/file-database.ts";

makeDatabaseOfFile();

/** A replica: device, version, state. */
type Held = readonly [device: string, version: number, state?: string];

const REPOSITORIES: Readonly<Record<string, { head: number; placement?: string[]; held: readonly Held[] }>> = {
  well: {
    head: 3,
    held: [
      ["a", 3],
      ["b", 3],
      ["c", 3],
      ["drains", 3],
    ],
  },
  behind: {
    head: 9,
    held: [
      ["a", 9],
      ["b", 9],
      ["c", 4],
      ["drains", 9],
    ],
  },
  alone: {
    head: 2,
    held: [
      ["a", 2],
      ["b", 0],
      ["c", 1],
      ["drains", 2],
    ],
  },
  pending: {
    head: 0,
    held: [
      ["a", 0],
      ["b", 0, "pending"],
      ["c", 0, "broken"],
      ["drains", 0, "pending"],
    ],
  },
  // On one device, as an operator wanted.
  single: {
    head: 2,
    placement: ["a", "removed"],
    held: [
      ["a", 2],
      ["b", 1],
    ],
  },
  // Not even there.
  late: { head: 2, placement: ["a"], held: [["b", 2]] },
  leaving: {
    head: 1,
    placement: ["a", "c"],
    held: [
      ["a", 1],
      ["b", 1],
      ["c", 1, "released"],
      ["drains", 1],
    ],
  },
  moved: {
    head: 1,
    placement: ["a", "b"],
    held: [
      ["a", 1],
      ["b", 1],
      ["c", 0],
      ["removed", 1],
    ],
  },
  nowhere: { head: 0, held: [] },
};

beforeAll(async () => {
  await administer(database.url, async (client) => {
    await client.query("set session_replication_role = replica");
    await client.query(
      `insert into lockstep.device (name, expires_at, draining_since, removed_at) values
         ('a', now() + interval '1 hour', null, null), ('b', now() + interval '1 hour', null, null),
         ('c', now() - interval '1 hour', null, null), ('drains', now() + interval '1 hour', now(), null),
         ('removed', now() - interval '1 hour', now(), now())`,
    );
    const all = {
      ...REPOSITORIES,
      gone: {
        head: 5,
        held: [
          ["a", 5],
          ["b", 1],
        ] as Held[],
      },
    };
    for (const [name, { head, placement = null, held }] of Object.entries<(typeof REPOSITORIES)[string]>(all)) {
      const { rows } = await client.query(
        `insert into lockstep.repository (id, name, object_format, digest_key, head_digest, head_version, placement, stopped,
           removed_at, removed_name, keep_until)
         values (gen_random_uuid(), $1, 'sha1', 'k', 'd', $2, $3, case when $1 = 'alone' then 'lost' end,
           case when $1 = 'gone' then now() end, case when $1 = 'gone' then 'was' end, case when $1 = 'gone' then now() end)
         returning id`,
        [name, head, placement],
      );
      const { id } = rows[0];
      for (const [device, version, state = "active"] of held)
        await client.query(
          "insert into lockstep.replica (repository_id, device, version, state, scrub) values ($1, $2, $3, $4, $5)",
          [id, device, version, state, name === "behind" && device === "a" ? { clean: false } : null],
        );
      await client.query(
        `insert into lockstep.ref_log (repository_id, version, write_id, device, fence, author, digest, landed_at)
         select $1, v, gen_random_uuid(), 'a', 1, 'ada', 'd', now() - v * interval '100 s' from generate_series(1, $2::int) v`,
        [id, head],
      );
      if (name !== "well") continue;
      await client.query(
        `insert into lockstep.write (id, repository_id, device, fence, author, base_version, started_at)
         values (gen_random_uuid(), $1, 'a', 1, 'ada', 0, now() - interval '30 s')`,
        [id],
      );
      await client.query("insert into lockstep.write_stop (repository_id, reason, author) values ($1, 'r', 'ada')", [
        id,
      ]);
      await client.query(
        `insert into lockstep.turn (repository_id, write_id, device, author, reason, since, expires_at) values
           ($1, gen_random_uuid(), 'a', 'ada', '', now() - interval '20 s', now() + interval '1 hour'),
           ($1, gen_random_uuid(), 'a', 'ada', '', now() - interval '2 h', now() - interval '1 hour')`,
        [id],
      );
    }
  });
});

it("counts what there is, and leaves out removed devices and repositories", async () => {
  const figures = await readClusterFigures(db);
  expect(figures).toMatchObject({
    repositories: 9,
    stopped: 1,
    writesStopped: 1,
    allWritesStopped: false,
    damaged: 1,
    staged: { count: 1 },
    turns: { count: 1 },
    replicas: { active: 24, pending: 2, broken: 1, released: 1 },
  });
  expect(figures.devices.map(({ name, live, drains, replicas }) => [name, live, drains, replicas])).toEqual([
    ["a", true, false, 8],
    ["b", true, false, 9],
    ["c", false, false, 5],
    ["drains", true, true, 5],
  ]);
  expect(figures.staged.oldestSeconds).toBeGreaterThan(29);
  expect(figures.turns.oldestSeconds).toBeGreaterThan(19);
  expect(figures.turns.oldestSeconds).toBeLessThan(3_600);
});

it("says how many versions each device lacks, and since when", async () => {
  const { devices } = await readClusterFigures(db);
  const behind = Object.fromEntries(devices.map((device) => [device.name, device]));
  // c: five versions of `behind` and one of `alone`. b: two of `alone`. What `moved` lacks on c belongs to no placement.
  expect(Object.values(behind).map(({ versionsBehind }) => versionsBehind)).toEqual([0, 2, 6, 0]);
  // The oldest version that it lacks counts: 5 of `behind` landed 500 s ago, 1 of `alone` 100 s ago.
  expect(behind.a!.secondsBehind).toBe(0);
  expect(Math.round(behind.b!.secondsBehind / 100)).toBe(1);
  expect(Math.round(behind.c!.secondsBehind / 100)).toBe(5);
});

it("counts the same repositories on one device as `lockstep status`", async () => {
  const { headsOnOneDevice } = await readClusterFigures(db);
  const unsafe = (await listStatus(db, 100)).filter((row) => row.unsafe).map(({ repository }) => repository);
  expect(unsafe.sort()).toEqual(["alone", "late", "leaving", "nowhere", "pending"]);
  expect(headsOnOneDevice).toBe(unsafe.length);
});

it("counts no repository of a cluster of one device that has it, and those that it lacks", async () => {
  const { rows } = await administer(database.url, (client) =>
    client.query(
      "update lockstep.device set removed_at = now() where removed_at is null and name <> 'b' returning name",
    ),
  );
  const { headsOnOneDevice } = await readClusterFigures(db);
  const unsafe = (await listStatus(db, 100)).filter((row) => row.unsafe).map(({ repository }) => repository);
  // b has the heads of `well`, `behind` and `moved`. `late` and `single` shall be on no device that is left.
  expect(unsafe).not.toContain("well");
  expect(unsafe).toContain("alone");
  expect(headsOnOneDevice).toBe(unsafe.length);
  await administer(database.url, (client) =>
    client.query("update lockstep.device set removed_at = null where name = any($1)", [rows.map(({ name }) => name)]),
  );
});

it("counts nothing where there is nothing", async () => {
  await administer(database.url, (client) =>
    client.query("truncate lockstep.repository, lockstep.device, lockstep.write_stop cascade"),
  );
  expect(await readClusterFigures(db)).toEqual({
    devices: [],
    repositories: 0,
    headsOnOneDevice: 0,
    stopped: 0,
    writesStopped: 0,
    allWritesStopped: false,
    replicas: {},
    damaged: 0,
    staged: { count: 0, oldestSeconds: 0 },
    turns: { count: 0, oldestSeconds: 0 },
  });
});
