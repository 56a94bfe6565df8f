import { randomUUID } from "node:crypto";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { startPostgres } from "../../src/demo/postgres.ts";
import { allowWrites } from "../../src/rpc/handlers/allow-writes.ts";
import { Database } from "../../src/store/database/database.ts";
import { migrate } from "../../src/store/database/migrate.ts";
import type { Write } from "../../src/store/write/find-write.ts";
import {
  endWriteStops,
  listWriteStops,
  stopNewWrites,
  stopStagedWrites,
  stopTargets,
} from "../../src/store/write/write-stops.ts";
import { stageWrite } from "../../src/store/write/writes.ts";
import { stopWrites } from "../../src/sync/operator/stop-writes.ts";
import { beforeRead } from "../../src/sync/read/before-read.ts";
import { administer } from "../support/administer.ts";
import { latch } from "../support/latch.ts";
import { abortSession, beginSession, bumpSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

let cluster: TestCluster;
let one: TestDevice;
let two: TestDevice;
let repository: string;
let made = 0;
/** The last row of the audit from earlier tests. */
let last = "0";

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

interface Stop {
  readonly names?: readonly string[];
  readonly reason?: string;
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
  readonly tell?: (waitingFor: readonly Write[]) => void;
}

const stop = ({ names = [repository], reason = "upgrade", waitMs = SOON.timeout, signal, tell }: Stop = {}) =>
  stopWrites(
    two.context,
    { repositories: names, author: "olga", reason, waitMs, signal: signal ?? new AbortController().signal },
    tell ?? (() => {}),
  );

const allow = async (...names: string[]) =>
  await endWriteStops(two.context.db, await stopTargets(two.context.db, names), "olga");

const beforePush = (device: TestDevice) =>
  beforeRead(device.context, repository, { forPush: true, signal: AbortSignal.timeout(SOON.timeout) });

const begin = () =>
  beginSession(one, repository, {
    author: "ada",
    reason: "import",
    waitMs: 1_000,
    signal: AbortSignal.timeout(SOON.timeout),
  });

async function push(device: TestDevice, branch = "main", old: string | null = null): Promise<string> {
  const commit = await device.commit(repository, `${branch} ${randomUUID()}`);
  expect(await device.push(repository, [change(branch, old, commit)])).toEqual({ [`refs/heads/${branch}`]: null });
  return commit;
}

const head = async () => (await one.read(repository)).version;

/** Keeps everyone from writing into a table until disposed of: a statement that has come that far waits there. */
async function lockTable(table: string): Promise<AsyncDisposable> {
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
const untilBlocked = (called: string) =>
  vi.waitFor(async () => {
    const rows = await cluster.sql(
      "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database() and query like $1",
      [`%lockstep.${called}(%`],
    );
    expect(rows).toHaveLength(1);
  }, SOON);

const audit = async () =>
  (
    await cluster.sql<{ author: string; action: string; repository: string | null; detail: { reason: string } }>(
      "select author, action, repository, detail from lockstep.audit where id > $1 order by id",
      [last],
    )
  ).map(({ author, action, repository, detail }) => [author, action, repository, detail.reason]);

describe("where writes are stopped", () => {
  it("pushes are refused with the reason on every device, reads and other repositories go on", async () => {
    await push(one);
    expect(await stop()).toEqual([]);
    for (const device of [one, two]) {
      await device.read(repository);
      const commit = await device.commit(repository, "late");
      await expect(device.push(repository, [change("late", null, commit)])).rejects.toMatchObject({
        code: "WRITES_STOPPED",
        message: expect.stringContaining("(upgrade)"),
        details: { repository, reason: "upgrade" },
      });
      await expect(beforePush(device)).rejects.toMatchObject({ code: "WRITES_STOPPED" });
      expect(await head()).toBe(1n);
    }
    repository = "other/app";
    await cluster.create(repository, [one, two]);
    await push(two);
    await beforePush(two);
  });

  it("sessions do not begin", async () => {
    await stop();
    await expect(begin()).rejects.toMatchObject({ code: "WRITES_STOPPED", details: { reason: "upgrade" } });
  });

  it("the operator who stopped them or another one allows them again, and both are recorded", async () => {
    await stop();
    await stop({ reason: "upgrade, part two" });
    expect(await listWriteStops(one.context.db)).toMatchObject([
      { repository, reason: "upgrade, part two", author: "olga", includesStaged: true },
    ]);
    await allow(repository);
    await push(one);
    expect(await audit()).toEqual([
      ["olga", "stop writes", repository, "upgrade"],
      ["olga", "stop writes", repository, "upgrade, part two"],
      ["olga", "allow writes", repository, "upgrade, part two"],
    ]);
  });

  it("for all repositories and for one, each is allowed by itself", async () => {
    await stop({ names: [], reason: "all" });
    await stop({ reason: "one" });
    expect(await listWriteStops(one.context.db)).toMatchObject([
      { repository: null, reason: "all", includesStaged: true },
      { repository, reason: "one", includesStaged: true },
    ]);
    const answer = await allowWrites(two.context)(
      { repositories: [repository], author: "" },
      {
        caller: { role: "operator", name: "olga" },
        allowed: [],
        signal: new AbortController().signal,
      },
    );
    expect(answer.remaining).toMatchObject([{ repository: "", reason: "all" }]);
    await expect(beforePush(one)).rejects.toMatchObject({ details: { reason: "all" } });
    await allow();
    await push(one);
    expect(await audit()).toEqual([
      ["olga", "stop writes", null, "all"],
      ["olga", "stop writes", repository, "one"],
      ["operator olga", "allow writes", repository, "one"],
      ["olga", "allow writes", null, "all"],
    ]);
  });

  it("an allow for repositories whose writes are not stopped is refused, and changes nothing", async () => {
    await stop();
    const before = await audit();
    await expect(allow()).rejects.toMatchObject({
      code: "WRITES_NOT_STOPPED",
      message: expect.stringContaining("all repositories"),
    });
    const other = `${repository}-b`;
    await cluster.create(other, [one]);
    await expect(allow(repository, other)).rejects.toMatchObject({
      code: "WRITES_NOT_STOPPED",
      message: expect.stringContaining("-b are not"),
    });
    await expect(allow("no/such")).rejects.toMatchObject({ code: "REPOSITORY_NOT_FOUND" });
    await expect(stop({ names: [repository, "no/such"] })).rejects.toMatchObject({ code: "REPOSITORY_NOT_FOUND" });
    expect(await listWriteStops(one.context.db)).toHaveLength(1);
    expect(await audit()).toEqual(before);
  });
});

describe("a write that is under way when writes are stopped", () => {
  it("lands, and is waited for and named until it has", async () => {
    const waits: string[][] = [];
    const { opened: mayDecide, open: decide } = latch();
    one.onStatement = async (text, run) => {
      if (text.includes("lockstep.bump(")) await mayDecide;
      return await run();
    };
    const pushed = push(one);
    await vi.waitFor(async () => expect(await one.staged()).toHaveLength(1), SOON);
    const [staged] = await one.staged();
    const stopped = stop({ tell: (waitingFor) => waits.push(waitingFor.map(({ id }) => id)) });
    await vi.waitFor(() => expect(waits).toEqual([[staged]]), SOON);
    decide();
    expect(await stopped).toEqual([]);
    expect(waits).toEqual([[staged], []]);
    await pushed;
    expect(await head()).toBe(1n);
  });

  it("does not land after all is said to be stopped, where its row was still being made", async () => {
    await using table = await lockTable("lockstep.write");
    const commit = await one.commit(repository, "overlooked");
    const pushed = one.push(repository, [change("main", null, commit)]);
    pushed.catch(() => {});
    // It has asked whether writes are stopped, and they were not.
    await untilBlocked("stage_write");
    expect(await stop()).toEqual([]);
    await table[Symbol.asyncDispose]();
    await expect(pushed).rejects.toMatchObject({ code: "WRITES_STOPPED", details: { reason: "upgrade" } });
    expect(await head()).toBe(0n);
    await allow(repository);
    await one.expectInLockstep(repository);
  });

  it("is waited for at the end as well, where its decision began before staged writes were stopped", async () => {
    await using table = await lockTable("lockstep.ref_log");
    const pushed = push(one);
    await untilBlocked("bump");
    // As if its device were down: nobody waits for it before.
    await cluster.sql("update lockstep.device set expires_at = '-infinity' where name = $1", [one.name]);
    // All repositories: the lock of a single one would not even be made before that bump has ended.
    const stopped = stop({ names: [] });
    await untilBlocked("settle_write");
    expect(await listWriteStops(two.context.db)).toMatchObject([{ repository: null, includesStaged: true }]);
    await table[Symbol.asyncDispose]();
    expect(await stopped).toEqual([]);
    await pushed;
    expect(await head()).toBe(1n);
  });

  it("is dropped where its device is down, and does not land when that comes back", async () => {
    const three = await cluster.start("repo003");
    await cluster.addReplica(repository, three);
    const { replica } = await three.read(repository);
    const writeId = randomUUID();
    const row = { writeId, repositoryId: replica.id, base: 0n, author: "ada", names: [] };
    expect(await stageWrite(three.context.db, three.context.me, row)).toMatchObject({ outcome: "staged" });
    await three.stop();
    expect(await stop()).toMatchObject([{ id: writeId, device: "repo003", author: "ada" }]);
    expect(await cluster.sql("select status, drop_reason from lockstep.write where id = $1", [writeId])).toEqual([
      { status: "dropped", drop_reason: "writes were stopped (upgrade) before it was decided" },
    ]);
    expect(await head()).toBe(0n);
  });
});

describe("a write session that is open when writes are stopped", () => {
  it("is waited for as long as told, then named; new writes stay refused, and it may still land", async () => {
    const commit = await push(one);
    const session = await begin();
    const holder = { write: session.writeId, repository, device: "repo001", author: "ada", reason: "import" };
    await expect(stop({ waitMs: 0 })).rejects.toMatchObject({
      code: "WRITES_UNDER_WAY",
      message: expect.stringMatching(/still being written by ada on repo001 \(import\), since 20/),
      details: holder,
    });
    expect(await listWriteStops(two.context.db)).toMatchObject([{ repository, includesStaged: false }]);
    await expect(beforePush(one)).rejects.toMatchObject({ code: "WRITES_STOPPED" });
    const stopped = stop();
    await one.git(repository, ["--git-dir", session.path, "update-ref", "refs/heads/imported", commit]);
    expect(await bumpSession(one, repository, session.token)).toMatchObject({ version: 2n, refsChanged: 1 });
    expect(await stopped).toEqual([]);
  });

  it("is waited for no longer than the caller of the stop waits", async () => {
    const session = await begin();
    const gone = new AbortController();
    const stopped = stop({ signal: gone.signal, tell: () => gone.abort() });
    await expect(stopped).rejects.toMatchObject({ code: "WRITES_UNDER_WAY", details: { write: session.writeId } });
    await abortSession(one, repository, session.token);
  });

  it("does not keep an operator from allowing writes, which ends the stop with an error", async () => {
    const session = await begin();
    const { opened: waiting, open: told } = latch();
    const stopped = stop({ tell: told });
    stopped.catch(() => {});
    await waiting;
    await allow(repository);
    await bumpSession(one, repository, session.token);
    await expect(stopped).rejects.toMatchObject({ code: "WRITES_NOT_STOPPED" });
    await push(one);
  });
});

it("a server of the database that crashes after writes were stopped has not forgotten it", async () => {
  const dir = await mkdtemp(join(tmpdir(), "lockstep-locked-"));
  const start = () => startPostgres({ dir, env: process.env, isRoot: process.getuid?.() === 0 });
  try {
    await using first = await start();
    await migrate(first.url);
    await using db = new Database({ url: first.url, applicationName: "before" });
    await stopNewWrites(db, [null], { author: "olga", reason: "upgrade" });
    await stopStagedWrites(db, [null]);
    // An immediate shutdown: as after a crash, all it has then is its log on disk.
    process.kill(first.pid, "SIGQUIT");
    await vi.waitFor(async () => expect(() => process.kill(first.pid, 0)).toThrow(), SOON);
    await using second = await start();
    await using after = new Database({ url: second.url, applicationName: "after" });
    expect(await listWriteStops(after)).toMatchObject([{ repository: null, reason: "upgrade", includesStaged: true }]);
  } finally {
    // Where TMPDIR is private to root, the database is outside of it.
    await rm(await realpath(join(dir, "postgres")), { recursive: true, force: true });
    await rm(dir, { recursive: true, force: true });
  }
});
