// Stops the writes of a repository on two devices.
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from "vitest";
import type { Write } from "../../src/store/write/find-write.ts";
import { endWriteStops, stopTargets } from "../../src/store/write/write-stops.ts";
import { stopWrites } from "../../src/sync/operator/stop-writes.ts";
import { beforeRead } from "../../src/sync/read/before-read.ts";
import { administer } from "./administer.ts";
import { latch } from "./latch.ts";
import { beginSession } from "./sessions.ts";
import { TestCluster } from "./sync-cluster.ts";
import { change, SOON, type TestDevice } from "./sync-device.ts";

// `makeStoppable` sets these.
export let cluster: TestCluster;

export let one: TestDevice;

export let two: TestDevice;

export let repository: string;

export let made = 0;

/** The last row of the audit from earlier tests. */
let last = "0";

/** Makes `repository` another one, which must not be there yet. */
export function switchTo(name: string): void {
  repository = name;
}

/** Makes two devices for the calling file, and before each test a repository on both. After it no write is stopped. */
export function makeStoppable(): void {
  beforeAll(async () => {
    cluster = await TestCluster.make();
    [one, two] = [await cluster.start("repo001"), await cluster.start("repo002")];
  });
  afterAll(async () => await cluster?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    made += 1;
    repository = `team/app-${made}`;
    await cluster.create(repository, [one, two]);
  });
  afterEach(async () => {
    one.onStatement = (_, run) => run();
    await cluster.sql(
      "update lockstep.device set expires_at = clock_timestamp() + interval '15 seconds' where name = 'repo001'",
    );
    await cluster.sql("delete from lockstep.write_stop");
    [{ last }] = (await cluster.sql<{ last: string }>("select id as last from lockstep.audit_chain")) as [
      { last: string },
    ];
  });
}

interface Stop {
  readonly names?: readonly string[];
  readonly reason?: string;
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
  readonly tell?: (waitingFor: readonly Write[]) => void;
}

export const stop = ({ names = [repository], reason = "upgrade", waitMs = SOON.timeout, signal, tell }: Stop = {}) =>
  stopWrites(
    two.context,
    { repositories: names, author: "olga", reason, waitMs, signal: signal ?? new AbortController().signal },
    tell ?? (() => {}),
  );

export const allow = async (...names: string[]) =>
  await endWriteStops(two.context.db, await stopTargets(two.context.db, names), "olga");

export const beforePush = (device: TestDevice) =>
  beforeRead(device.context, repository, { forPush: true, signal: AbortSignal.timeout(SOON.timeout) });

export const begin = () =>
  beginSession(one, repository, {
    author: "ada",
    reason: "import",
    waitMs: 1_000,
    signal: AbortSignal.timeout(SOON.timeout),
  });

export async function push(device: TestDevice, branch = "main", old: string | null = null): Promise<string> {
  const commit = await device.commit(repository, `${branch} ${randomUUID()}`);
  expect(await device.push(repository, [change(branch, old, commit)])).toEqual({ [`refs/heads/${branch}`]: null });
  return commit;
}

export const head = async () => (await one.read(repository)).version;

/** Keeps everyone from writing into a table until disposed of: a statement that has come that far waits there. */
export async function lockTable(table: string): Promise<AsyncDisposable> {
  const { opened: released, open: release } = latch();
  const { opened: locked, open: held } = latch();
  const done = administer(cluster.url, async (client) => {
    await client.query(`begin; lock table ${table} in share mode`);
    held();
    await released;
    await client.query("commit");
  });
  await Promise.race([locked, done]);
  return {
    async [Symbol.asyncDispose]() {
      release();
      await done;
    },
  };
}

/** Resolves when a statement that calls the function waits for a lock. */
export const untilBlocked = (called: string) =>
  vi.waitFor(async () => {
    const rows = await cluster.sql(
      "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database() and query like $1",
      [`%lockstep.${called}(%`],
    );
    expect(rows).toHaveLength(1);
  }, SOON);

export const audit = async () =>
  (
    await cluster.sql<{ author: string; action: string; repository: string | null; detail: { reason: string } }>(
      "select author, action, repository, detail from lockstep.audit where id > $1 order by id",
      [last],
    )
  ).map(({ author, action, repository, detail }) => [author, action, repository, detail.reason]);
