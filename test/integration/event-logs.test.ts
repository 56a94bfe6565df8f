// The push log, the pull log and the sync log, as a device notes them, writes them and lists them.
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LockstepError } from "../../src/errors.ts";
import { type HookServer, serveHooks } from "../../src/hook/server.ts";
import { beforeRead } from "../../src/rpc/handlers/before-read.ts";
import { reportReads } from "../../src/rpc/handlers/report-reads.ts";
import { type EventFilter, listPulls, listPushes, listSyncs } from "../../src/store/activity/list-events.ts";
import { unavailableError } from "../../src/store/database/sqlstate.ts";
import { writeEvents } from "../../src/sync/activity/keep-writing.ts";
import { catchUp } from "../../src/sync/catch-up/catch-up.ts";
import { trimDatabase } from "../../src/sync/retention/trim-database.ts";
import { askedBy } from "../support/asked.ts";
import { type GitSandbox, gitSandbox } from "../support/git.ts";
import { shims } from "../support/shim-site.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";
const ANY: EventFilter = {
  ...{ repository: null, device: null, since: null, until: null, author: null, result: null, ref: null },
  limit: 1_000,
};

const SHIM = shims[0]!.command.map((word) => `'${word}'`).join(" ");

let cluster: TestCluster;
let a: TestDevice;
let b: TestDevice;
let sandbox: GitSandbox;
let hooks: HookServer;

beforeEach(async () => {
  [cluster, sandbox] = [await TestCluster.make(), await gitSandbox()];
  [a, b] = await cluster.pair(APP);
  await mkdir(a.context.socketDir, { recursive: true });
  hooks = await serveHooks(a.context, join(a.context.socketDir, "hook.sock"));
  // The device of a test has no built program beside it.
  for (const name of ["pre-receive", "proc-receive"]) {
    const hook = join(a.gitDir(APP), "hooks", name);
    await rm(hook, { force: true });
    await writeFile(hook, `#!/bin/sh\nexec ${SHIM} ${name} "$@"\n`, { mode: 0o755 });
  }
  await sandbox.git(["init", "--quiet", "-b", "main", "work"]);
});
afterEach(async () => {
  await hooks[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
  await sandbox[Symbol.asyncDispose]();
});

const work = () => join(sandbox.dir, "work");

async function commit(message: string): Promise<string> {
  await sandbox.git(["commit", "--quiet", "--allow-empty", "-m", message], { cwd: work() });
  return await sandbox.git(["rev-parse", "HEAD"], { cwd: work() });
}

/** Pushes with stock git into the replica of `a`, as a front end for HTTP does. */
async function push(refspec: string, env: Record<string, string> = {}) {
  const told = { REMOTE_ADDR: "10.0.0.7", REMOTE_USER: "ada", LOCKSTEP_SOCKET_DIR: a.context.socketDir };
  return await sandbox.run(["push", a.gitDir(APP), refspec], { cwd: work(), env: { ...told, ...env } });
}

async function pushes(filter: Partial<EventFilter> = {}) {
  await writeEvents(a.context);
  return await listPushes(a.context.db, { ...ANY, ...filter });
}

async function pulls(filter: Partial<EventFilter> = {}) {
  await writeEvents(a.context);
  return await listPulls(a.context.db, { ...ANY, ...filter });
}

const caller = {
  caller: { role: "frontend" as const, name: "web" },
  ...{ allowed: [], from: () => null, signal: new AbortController().signal },
};
const request = (more: object = {}) =>
  ({
    repository: APP,
    minVersion: "0",
    commit: "",
    maxStaleness: null,
    forPush: false,
    reader: null,
    ...more,
  }) as never;
const asks = async (device: TestDevice, more: object = {}) => await beforeRead(device.context)(request(more), caller);

describe("the push log", () => {
  it("has who pushed what, from where, when, and with which outcome", async () => {
    const before = Date.now();
    const tip = await commit("one");
    expect(await push("HEAD:refs/heads/main", { LOCKSTEP_REQUEST_ID: "request-1" })).toMatchObject({ code: 0 });
    const [row, ...others] = await pushes();
    expect(others).toEqual([]);
    expect(row).toEqual({
      at: expect.any(Date),
      ...{ device: a.name, repository: APP, author: "ada", address: "10.0.0.7", way: "http", requestId: "request-1" },
      ...{ result: "landed", version: 1n, code: null, reason: null },
      ...{ refs: [["refs/heads/main", null, tip, null]], refsTotal: 1, durationMs: expect.any(Number) },
      ...{ hostMs: expect.any(Number), databaseMs: expect.any(Number), copiesMs: 0, writersMs: expect.any(Number) },
      ...{ readsMs: expect.any(Number), hooksMs: expect.any(Number) },
    });
    expect(row!.at.getTime()).toBeGreaterThan(before - 1_000);
    expect(row!.at.getTime()).toBeLessThan(Date.now() + 1_000);
    expect(row!.hostMs + row!.databaseMs).toBeGreaterThan(0);
    expect(row!.durationMs).toBeGreaterThanOrEqual(row!.hostMs + row!.databaseMs + row!.writersMs - 3);
  });

  it("tells pushes over ssh from those of this machine", async () => {
    await commit("one");
    await push("HEAD:refs/heads/ssh", { REMOTE_ADDR: "", SSH_CONNECTION: "10.0.0.8 5000 10.0.0.1 22" });
    await push("HEAD:refs/heads/here", { REMOTE_ADDR: "" });
    expect(await pushes()).toMatchObject([
      { way: "direct", address: null, refs: [["refs/heads/here", null, expect.any(String), null]] },
      { way: "ssh", address: "10.0.0.8", refs: [["refs/heads/ssh", null, expect.any(String), null]] },
    ]);
  });

  it("has refused pushes with the reason, and how long the hook took that refused them", async () => {
    const hook = join(a.gitDir(APP), "hooks", "update");
    await writeFile(hook, '#!/bin/sh\n[ "$1" != refs/heads/no ] || { sleep 0.2; exit 1; }\n');
    await chmod(hook, 0o755);
    await commit("one");
    expect((await push("HEAD:refs/heads/no")).code).toBe(1);
    const [refused] = await pushes();
    expect(refused).toMatchObject({
      ...{ result: "refused", version: null, reason: "refs/heads/no: hook declined" },
      refs: [["refs/heads/no", null, expect.any(String), "hook declined"]],
    });
    expect(refused!.hooksMs).toBeGreaterThanOrEqual(200);
    expect(refused!.hostMs).toBeLessThan(refused!.durationMs - 190);
  });

  it("has a push of which some refs landed, with the reason for each of the others", async () => {
    const hook = join(a.gitDir(APP), "hooks", "update");
    await writeFile(hook, '#!/bin/sh\n[ "$1" != refs/heads/no ]\n');
    await chmod(hook, 0o755);
    const tip = await commit("one");
    await sandbox.run(["push", a.gitDir(APP), "HEAD:refs/heads/no", "HEAD:refs/heads/yes"], {
      cwd: work(),
      env: { LOCKSTEP_SOCKET_DIR: a.context.socketDir, LOCKSTEP_PUSHER: "bob" },
    });
    const rows = await pushes({ author: "bob" });
    expect(rows).toMatchObject([{ result: "landed", version: 1n, refsTotal: 2 }]);
    expect(rows[0]!.refs).toEqual(
      expect.arrayContaining([
        ["refs/heads/yes", null, tip, null],
        ["refs/heads/no", null, tip, "hook declined"],
      ]),
    );
  });

  it("has how long a push waited for another writer of the repository", async () => {
    await commit("one");
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { mutex } = a.replica(APP);
    const holding = mutex.runExclusive(() => held);
    const pushing = push("HEAD:refs/heads/main");
    // Another writer of this replica has it until this push waits behind it, and for 150 ms more.
    await vi.waitFor(
      () => expect((mutex as unknown as { _semaphore: { _queue: [] } })._semaphore._queue).toHaveLength(1),
      SOON,
    );
    setTimeout(release, 150);
    await holding;
    expect(await pushing).toMatchObject({ code: 0 });
    const [row] = await pushes();
    expect(row!.writersMs).toBeGreaterThanOrEqual(100);
  });

  it("has pushes that were refused before their upload, but no push that was only begun", async () => {
    await asks(a, { forPush: true });
    await expect(
      asks(a, { forPush: true, minVersion: "9", reader: { user: "eve", address: "10.0.0.9", requestId: "" } }),
    ).rejects.toMatchObject({ code: "VERSION_AHEAD" });
    expect(await pushes()).toMatchObject([
      { result: "refused", code: "VERSION_AHEAD", author: "eve", address: "10.0.0.9", refs: [], refsTotal: 0 },
    ]);
    expect(await pulls()).toMatchObject([{ what: "push", result: "current", author: "frontend web" }]);
  });

  it("is filtered by repository, device, author, result, ref and time", async () => {
    await commit("one");
    await push("HEAD:refs/heads/main");
    await push("HEAD:refs/tags/v1", { REMOTE_USER: "bob" });
    const count = async (filter: Partial<EventFilter>) => (await pushes(filter)).length;
    expect(await count({})).toBe(2);
    expect(await count({ repository: APP })).toBe(2);
    expect(await count({ repository: "team/other" })).toBe(0);
    expect(await count({ device: b.name })).toBe(0);
    expect(await count({ author: "bob" })).toBe(1);
    expect(await count({ result: "refused" })).toBe(0);
    for (const ref of ["main", "heads/main", "refs/heads/main", "v1"]) expect(await count({ ref }), ref).toBe(1);
    expect(await count({ ref: "mai" })).toBe(0);
    const hour = 3_600_000;
    expect(await count({ since: new Date(Date.now() + hour) })).toBe(0);
    expect(await count({ until: new Date(Date.now() - hour) })).toBe(0);
    expect(await count({ since: new Date(Date.now() - hour), until: new Date(Date.now() + hour) })).toBe(2);
    expect(await count({ limit: 1 })).toBe(1);
    // Under its new name a repository has the rows of its old one.
    await cluster.sql("update lockstep.repository set name = 'team/new' where name = $1", [APP]);
    expect(await count({ repository: "team/new" })).toBe(2);
  });
});

describe("the pull log", () => {
  it("has who read, and that the read waited for a catch-up", async () => {
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("main", null, one)]);
    const reader = { user: "ada", address: "10.0.0.7", requestId: "r" };
    await asks(b, { reader });
    await asks(b);
    await writeEvents(b.context);
    const rows = await pulls({ device: b.name });
    const read = { repository: APP, way: "frontend", what: "read", version: 1n, code: null, reason: null };
    expect(rows).toMatchObject([
      { ...read, result: "current", author: "frontend web", address: null, requestId: null, standsFor: 1 },
      { ...read, result: "caught_up", author: "ada", address: "10.0.0.7", requestId: "r", standsFor: 1 },
    ]);
    expect(rows[1]!.waitMs).toBeGreaterThan(0);
  });

  it("has stale reads, and refused ones with the code", async () => {
    await asks(a);
    await asks(a, { maxStaleness: { seconds: "3600", nanos: 0 } });
    await expect(asks(a, { repository: "no/such" })).rejects.toMatchObject({ code: "REPOSITORY_NOT_FOUND" });
    expect(await pulls()).toMatchObject([
      { result: "refused", code: "REPOSITORY_NOT_FOUND", repository: "no/such", version: null },
      { result: "stale" },
      { result: "current" },
    ]);
    expect(await pulls({ repository: "no/such" })).toHaveLength(1);
  });

  it("has no call of a front end that tells of its reads itself, and has what it tells", async () => {
    await asks(a, { reportsReads: true });
    const told = { repository: APP, reader: { user: "ada", address: "10.0.0.7", requestId: "r" }, what: "clone" };
    const took = { waited: { seconds: "0", nanos: 5_000_000 }, took: { seconds: "1", nanos: 0 } };
    const read = { ...told, ...took, version: "0", fetched: true, ago: null, code: "", reason: "", standsFor: 3 };
    await reportReads(a.context)({ reads: [read, { ...read, what: "push", code: "WRITES_STOPPED" }] } as never);
    expect(await pulls()).toMatchObject([
      { way: "http", what: "clone", result: "caught_up", author: "ada", waitMs: 5, durationMs: 1_000, standsFor: 3 },
    ]);
    expect(await pushes()).toMatchObject([{ result: "refused", code: "WRITES_STOPPED", author: "ada", way: "http" }]);
    const wrong = reportReads(a.context)({ reads: [{ ...read, what: "steal" }] } as never);
    await expect(wrong).rejects.toMatchObject({ code: "INVALID_REQUEST" });
  });

  it("has reads over ssh, and above the rate a sample that stands for all reads", async () => {
    const shell = ["--upload-pack", `${SHIM} lockstep-upload-pack`];
    const env = { LOCKSTEP_SOCKET_DIR: a.context.socketDir, USER: "ada", SSH_CONNECTION: "10.0.0.8 5000 10.0.0.1 22" };
    await sandbox.git(["ls-remote", ...shell, a.gitDir(APP)], { env });
    expect(await pulls()).toMatchObject([{ way: "ssh", address: "10.0.0.8", author: "ada", what: "read" }]);
    await Promise.all(Array.from({ length: 40 }, () => asks(a)));
    const rows = await pulls({ author: "frontend web" });
    expect(rows).toHaveLength(5);
    expect(rows.reduce((sum, { standsFor }) => sum + standsFor, 0)).toBe(40);
  });
});

describe("the sync log", () => {
  it("has each catch-up, and git's own words where one failed", async () => {
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("main", null, one)]);
    await b.beforeGit('case "$*" in *index-pack*) echo "fatal: the disk is tired" >&2; exit 128 ;; esac');
    const failing = catchUp(b.context, b.replica(APP), 1n, { signal: AbortSignal.timeout(SOON.timeout) });
    await expect(failing).rejects.toBeInstanceOf(LockstepError);
    const failed = await listSyncs(a.context.db, { ...ANY, result: "failed" });
    expect(failed[0]).toMatchObject({ device: b.name, repository: APP, result: "failed", fromVersion: 0n });
    expect(failed[0]?.said).toBe("fatal: the disk is tired");
    await b.beforeGit("");
    await catchUp(b.context, b.replica(APP), 1n, { signal: AbortSignal.timeout(SOON.timeout), insist: true });
    const filter = { ...ANY, repository: APP, device: b.name };
    await vi.waitFor(async () => {
      expect((await listSyncs(a.context.db, { ...filter, limit: 1 }))[0]).toMatchObject({
        ...{ fromDevice: a.name, fromVersion: 0n, version: 1n, refsChanged: 1, result: "ok", error: null, said: null },
      });
    }, SOON);
    expect(await listSyncs(a.context.db, { ...filter, until: new Date(Date.now() - 3_600_000) })).toEqual([]);
    expect(await listSyncs(a.context.db, { ...ANY, device: a.name, result: "failed" })).toEqual([]);
  });
});

describe("rows that wait to be written", () => {
  it("are written with one statement, however many there are", async () => {
    await commit("one");
    for (const name of ["x", "y", "z"]) await push(`HEAD:refs/heads/${name}`);
    const statements: string[] = [];
    await askedBy(a, statements, async () => await writeEvents(a.context));
    expect(statements.filter((text) => text.includes("event"))).toHaveLength(1);
    await askedBy(a, statements, async () => await writeEvents(a.context));
    expect(statements).toHaveLength(1);
    expect(await pushes()).toHaveLength(3);
  });

  it("are kept while the database is away, with the time of the push", async () => {
    await commit("one");
    await push("HEAD:refs/heads/main");
    a.onStatement = (text, run) => (text.includes("push_event") ? Promise.reject(unavailableError("away")) : run());
    await writeEvents(a.context);
    a.onStatement = (_, run) => run();
    expect(await listPushes(a.context.db, ANY)).toEqual([]);
    const before = Date.now();
    await vi.waitFor(() => expect(Date.now() - before).toBeGreaterThan(300), SOON);
    const [row] = await pushes();
    expect(row!.at.getTime()).toBeLessThan(before + 100);
  });

  it("are dropped and counted when the database refuses them, and later ones are written", async () => {
    await commit("one");
    await push("HEAD:refs/heads/main");
    await cluster.sql("alter table lockstep.push_event add constraint strict check (author <> 'ada')");
    await writeEvents(a.context);
    await cluster.sql("alter table lockstep.push_event drop constraint strict");
    expect(await pushes()).toEqual([]);
    const { text } = await a.context.metrics.page();
    expect(/^lockstep_dropped_log_rows_total.*$/m.exec(text)?.[0]).toBe(
      'lockstep_dropped_log_rows_total{log="pushes"} 1',
    );
    await push("HEAD:refs/heads/next");
    expect(await pushes()).toHaveLength(1);
  });
});

it("rows of the push log and of the pull log are deleted after their times, and younger ones stay", async () => {
  await commit("one");
  await push("HEAD:refs/heads/main");
  await push("HEAD:refs/heads/next");
  await asks(a);
  await pushes();
  await cluster.sql("update lockstep.push_event set at = at - interval '91 days' where version = 1");
  await cluster.sql("update lockstep.pull_event set at = at - interval '8 days'");
  expect(await trimDatabase(a.context)).toBe(2);
  expect(await pushes()).toMatchObject([{ version: 2n }]);
  expect(await pulls()).toEqual([]);
});
