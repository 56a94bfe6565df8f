// How many connections to PostgreSQL a sidecar has: never more than its pools say, and few are enough.
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { expect, it, vi } from "vitest";
import { PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile, three, two } from "../support/file-cluster.ts";
import { soon } from "../support/soon.ts";

const SOON = soon(20);
const REPOSITORIES = 3;
const CALLS = 12;

startClusterOfFile();

/** The connections of all sidecars, by application name. */
async function connections(client: pg.Client): Promise<Record<string, number>> {
  const { rows } = await client.query<{ name: string; count: number }>(
    `select application_name as name, count(*)::int as count from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend' group by 1`,
  );
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
}

/** Counts the connections again and again until it is disposed. `most` has the highest count of each name. */
async function counting() {
  const client = new pg.Client({ connectionString: cluster.databaseUrl });
  await client.connect();
  const most: Record<string, number> = {};
  let isOver = false;
  const counted = (async () => {
    while (!isOver) {
      for (const [name, count] of Object.entries(await connections(client)))
        most[name] = Math.max(most[name] ?? 0, count);
      await delay(5);
    }
  })();
  return {
    most,
    [Symbol.asyncDispose]: async () => {
      isOver = true;
      await counted.finally(() => client.end());
    },
  };
}

/** Keeps whoever asks for the log, and every push, waiting in the database until it is called off. */
async function holdLog(): Promise<{ release(): Promise<void> }> {
  const client = new pg.Client({ connectionString: cluster.databaseUrl });
  await client.connect();
  await client.query("begin; lock table lockstep.ref_log");
  return {
    release: async () => {
      await client.query("rollback");
      await client.end();
    },
  };
}

it("a sidecar has as many connections as its pools say, however many pushes wait, and works with the fewest", async () => {
  await two.kill();
  await two.start({ LOCKSTEP_DATABASE_CONNECTIONS: "2" });
  const names: string[] = [];
  for (let index = 0; index < REPOSITORIES; index += 1) names.push(await cluster.createRepository());
  const commit = await ada.commit();
  await using counted = await counting();
  const log = await holdLog();
  const pushes = [one, two].flatMap((device, index) =>
    names.map((name) => {
      const refspec = `${commit}:refs/heads/of-${index}`;
      return { device, name, refspec, first: ada.push(device.url(name), refspec) };
    }),
  );
  // Who waits too long is refused.
  const calls = [one, two].flatMap((device) =>
    Array.from({ length: CALLS }, () =>
      device.call("ListLog", { repository: names[0], before: "0", limit: 1 }, PATIENCE).then(
        () => undefined,
        ({ code }: { code?: string }) => code,
      ),
    ),
  );
  try {
    // More ask than there are connections: each pool is full.
    for (const [device, work] of [
      [one, 8],
      [two, 2],
    ] as const) {
      await vi.waitFor(() => expect(counted.most[`lockstep ${device.name} work`]).toBe(work), SOON);
      // A read needs no connection of those that wait.
      await device.call("BeforeRead", { repository: names[0] }, PATIENCE);
    }
  } finally {
    await log.release();
  }
  for (const code of await Promise.all(calls)) expect([undefined, "DATABASE_UNAVAILABLE"]).toContain(code);
  // Who waited too long for a connection was told to try again.
  for (const { device, name, refspec, first } of pushes) {
    const { code, stderr } = await first;
    if (code === 0) continue;
    expect(stderr).toContain("try again");
    await ada.land(device.url(name), refspec);
  }
  for (const name of names)
    for (const device of cluster.devices)
      expect(await cluster.git.git(["ls-remote", device.url(name), "refs/heads/*"])).toBe(
        [0, 1].map((index) => `${commit}\trefs/heads/of-${index}`).join("\n"),
      );
  const { most } = counted;
  expect(most).toMatchObject({ "lockstep repo001 work": 8, "lockstep repo002 work": 2 });
  for (const { name } of [one, two, three]) {
    const of = (purpose: string) => most[`lockstep ${name} ${purpose}`] ?? 0;
    expect({ lease: of("lease"), listen: of("listen") }, name).toEqual({ lease: 1, listen: 1 });
    expect(of("read"), name).toBeLessThanOrEqual(2);
    expect(of("work"), name).toBeLessThanOrEqual(8);
  }
  const known = cluster.devices.flatMap(({ name }) =>
    ["read", "work", "lease", "listen"].map((purpose) => `lockstep ${name} ${purpose}`),
  );
  // Nothing else connects but this test.
  expect(Object.keys(most).filter((name) => !known.includes(name) && name !== "")).toEqual([]);
});
