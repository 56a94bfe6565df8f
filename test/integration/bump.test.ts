import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import {
  digestAfter,
  digestOf,
  EMPTY_DIGEST,
  type Incarnation,
  type RefUpdate,
  type Version,
} from "../../src/domain.ts";
import { Database, query } from "../../src/store/database.ts";
import { renewLease, takeOver } from "../../src/store/device-lease.ts";
import { readLog } from "../../src/store/list-log.ts";
import { readFold } from "../../src/store/ref-log.ts";
import { createRepository } from "../../src/store/repositories.ts";
import { type BumpRequest, bump, getWrite, settleWrite, stageWrite } from "../../src/store/writes.ts";
import { migratedDatabase, type TestDatabase } from "../support/database.ts";
import { databaseProxy } from "../support/database-proxy.ts";

const ROOT = randomUUID();
const MAIN = "refs/heads/main";
const A = "a".repeat(40);
const B = "b".repeat(40);
const C = "c".repeat(40);
const WAIT = { timeout: 10_000, interval: 5 };

let database: TestDatabase;
let db: Database;
/** The connections of a second machine. */
let elsewhere: Database;

beforeAll(async () => {
  database = await migratedDatabase();
  db = new Database({ url: database.url, applicationName: "here" });
  elsewhere = new Database({ url: database.url, applicationName: "elsewhere" });
});
afterAll(async () => {
  await Promise.all([db[Symbol.asyncDispose](), elsewhere[Symbol.asyncDispose]()]);
  await database[Symbol.asyncDispose]();
});

/** Starts a new incarnation of the device, on the root that it had before. */
async function incarnation(device = `d-${randomUUID()}`): Promise<Incarnation> {
  const request = { device, incarnation: randomUUID(), rootId: ROOT, grpcAddress: "", gitAddress: "", zone: "" };
  const taken = await takeOver(elsewhere, request);
  if (taken.outcome !== "taken") throw new Error(`the device is ${taken.outcome}`);
  return taken.incarnation;
}

/** A new repository at version 0, with replicas on these devices. */
async function repository(...on: Incarnation[]): Promise<{ id: string; name: string }> {
  const name = `r-${randomUUID()}`;
  const { id } = await createRepository(db, {
    name,
    devices: on.map(({ device }) => device),
    defaultBranch: "main",
    objectFormat: "sha1",
  });
  return { id, name };
}

const create = (name: string, newValue: string): RefUpdate => ({ name, oldValue: null, newValue });

/** Stages a write of the updates on `base` and returns what lands it. */
async function stage(
  me: Incarnation,
  repositoryId: string,
  base: Version,
  updates: readonly RefUpdate[],
): Promise<BumpRequest> {
  const writeId = randomUUID();
  const names = updates.map(({ name }) => name);
  const staged = await stageWrite(db, me, { writeId, repositoryId, base, author: "ada", names });
  if (staged.outcome !== "staged") throw new Error(`the write is ${staged.outcome}`);
  return { writeId, repositoryId, base, digest: digestAfter(staged.digestKey, staged.digest, updates), updates };
}

/** What every table holds, to compare with later. */
async function contents(): Promise<object[]> {
  const tables = await query<{ name: string }>(
    db.work,
    "select table_name as name from information_schema.tables where table_schema = 'lockstep' order by 1",
  );
  const counts = tables.map(
    ({ name }) =>
      `select '${name}' as name, count(*), md5(string_agg(t::text, ' ' order by t::text)) as rows from lockstep.${name} t`,
  );
  return await query(db.work, counts.join(" union all "));
}

/** The versions of the log, newest first. */
async function versions(repositoryId: string): Promise<Version[]> {
  return (await readLog(db, repositoryId, null, 1000)).map(({ version }) => version);
}

describe("stageWrite", () => {
  it("tells what the named refs hold, in the order of the names", async () => {
    const me = await incarnation();
    const { id } = await repository(me);
    const request = await stage(me, id, 0n, [create(MAIN, A), create("refs/tags/v1", B)]);
    await bump(db, me, request);
    const names = ["refs/tags/v1", "refs/heads/none", "HEAD", MAIN];
    const staged = await stageWrite(db, me, {
      writeId: randomUUID(),
      repositoryId: id,
      base: 1n,
      author: "ada",
      names,
    });
    const { digestKey } = await readFold(db, id);
    expect(staged).toEqual({
      outcome: "staged",
      digest: request.digest,
      digestKey,
      values: [B, null, "ref: refs/heads/main", A],
      copies: { atLeast: 1, orFewer: false },
    });
  });

  it("makes no row on another base than the head, nor where there is no repository", async () => {
    const me = await incarnation();
    const { id } = await repository(me);
    await bump(db, me, await stage(me, id, 0n, [create(MAIN, A)]));
    const before = await contents();
    const write = { writeId: randomUUID(), repositoryId: id, author: "ada", names: [MAIN] };
    for (const base of [0n, 2n])
      expect(await stageWrite(db, me, { ...write, base })).toEqual({ outcome: "stale", head: 1n });
    expect(await stageWrite(db, me, { ...write, base: 0n, repositoryId: randomUUID() })).toEqual({
      outcome: "missing",
    });
    expect(await contents()).toEqual(before);
  });
});

describe("stageWrite on a device without the replica", () => {
  it("finds it missing, also where it was released", async () => {
    const [me, other] = [await incarnation(), await incarnation()];
    const { id } = await repository(me);
    const write = { writeId: randomUUID(), repositoryId: id, base: 0n, author: "ada", names: [MAIN] };
    expect(await stageWrite(db, other, write)).toEqual({ outcome: "missing" });
    await query(db.work, "update lockstep.replica set state = 'released' where repository_id = $1", [id]);
    expect(await stageWrite(db, me, write)).toEqual({ outcome: "missing" });
    expect(await versions(id)).toEqual([]);
  });
});

describe("a bump", () => {
  it("appends the next version, and fold, head and write row follow", async () => {
    const me = await incarnation();
    const { id, name } = await repository(me);
    const { digestKey } = await readFold(db, id);
    const first = await stage(me, id, 0n, [create(MAIN, A), create("refs/tags/v1", B)]);
    expect(await bump(db, me, first)).toEqual({ outcome: "landed", version: 1n });
    const second = await stage(me, id, 1n, [
      { name: MAIN, oldValue: A, newValue: C },
      { name: "refs/tags/v1", oldValue: B, newValue: null },
      { name: "HEAD", oldValue: "ref: refs/heads/main", newValue: "ref: refs/heads/dev" },
    ]);
    expect(await bump(db, me, second)).toEqual({ outcome: "landed", version: 2n });

    const fold = await readFold(db, id);
    expect(fold).toMatchObject({ head: 2n, digest: second.digest });
    expect(fold.refs).toEqual(
      new Map([
        ["HEAD", "ref: refs/heads/dev"],
        [MAIN, C],
      ]),
    );
    expect(fold.digest).toEqual(digestOf(digestKey, fold.refs));
    const [newest] = await readLog(db, id, null, 1);
    expect(newest).toMatchObject({ version: 2n, writeId: second.writeId, device: me.device, author: "ada" });
    expect(new Set(newest!.updates)).toEqual(new Set(second.updates));
    expect(await getWrite(db, name, second.writeId)).toMatchObject({ status: "landed", version: 2n, dropReason: null });
  });

  it("answers the same again, whoever asks and however late", async () => {
    const me = await incarnation();
    const other = await incarnation();
    const { id } = await repository(me, other);
    const request = await stage(me, id, 0n, [create(MAIN, A)]);
    const landed = { outcome: "landed", version: 1n };
    expect(await bump(db, me, request)).toEqual(landed);
    expect(await bump(db, me, request)).toEqual(landed);
    expect(await bump(elsewhere, other, request)).toEqual(landed);
    await bump(db, other, await stage(other, id, 1n, [{ name: MAIN, oldValue: A, newValue: B }]));
    expect(await bump(db, me, request)).toEqual(landed);
    const successor = await incarnation(me.device);
    expect(await bump(db, me, request)).toEqual(landed);
    expect(await bump(elsewhere, successor, request)).toEqual(landed);
    expect(await settleWrite(db, request.writeId, "any")).toEqual({ status: "landed", version: 1n });
    expect(await versions(id)).toEqual([2n, 1n]);
  });

  it("lands once when it is sent twice at the same time", async () => {
    const me = await incarnation();
    const { id } = await repository(me);
    const request = await stage(me, id, 0n, [create(MAIN, A)]);
    const both = await Promise.all([bump(db, me, request), bump(elsewhere, me, request)]);
    expect(both).toEqual(Array(2).fill({ outcome: "landed", version: 1n }));
    expect(await versions(id)).toEqual([1n]);
  });

  it("takes names and values of any bytes", async () => {
    const me = await incarnation();
    const { id } = await repository(me);
    const names = ["\xff\xfe", "\\x41", '"{}",', "NULL", "\xc3\xa4", "a\xcc\x88", "é'--"].map(
      (name) => `refs/heads/${name}`,
    );
    const created = [...names.map((name) => create(name, A)), create("refs/sym", "ref: refs/heads/\xff\xfe")];
    expect(await bump(db, me, await stage(me, id, 0n, created))).toMatchObject({ outcome: "landed" });
    const { refs, digest, digestKey } = await readFold(db, id);
    for (const { name, newValue } of created) expect(refs.get(name)).toBe(newValue);
    expect(refs.size).toBe(created.length + 1);
    expect(digest).toEqual(digestOf(digestKey, refs));
    const removed = created.map(({ name, newValue }) => ({ name, oldValue: newValue, newValue: null }));
    expect(await bump(db, me, await stage(me, id, 1n, removed))).toMatchObject({ outcome: "landed" });
    expect((await readFold(db, id)).refs.size).toBe(1);
  });

  it("makes dense versions when eight writers on three devices race", async () => {
    const machines = [db, elsewhere, new Database({ url: database.url, applicationName: "third" })];
    await using _third = machines[2]!;
    const devices = await Promise.all(machines.map(() => incarnation()));
    const { id } = await repository(...devices);
    const each = 4;
    const writer = async (index: number): Promise<void> => {
      const [at, me] = [machines[index % 3]!, devices[index % 3]!];
      for (let landed = 0; landed < each; ) {
        const { head: base, refs, digest, digestKey } = await readFold(at, id);
        const updates = [
          { name: "refs/heads/hot", oldValue: refs.get("refs/heads/hot") ?? null, newValue: randomUUID() },
          create(`refs/heads/${index}-${landed}`, A),
        ];
        const request = { writeId: randomUUID(), repositoryId: id, base, updates };
        const names = updates.map(({ name }) => name);
        const staged = await stageWrite(at, me, { ...request, author: "ada", names });
        if (staged.outcome === "stale") continue;
        expect(staged.outcome).toBe("staged");
        const bumped = await bump(at, me, { ...request, digest: digestAfter(digestKey, digest, updates) });
        if (bumped.outcome === "landed") landed += 1;
        else {
          expect(bumped.outcome).toBe("stale");
          expect(await settleWrite(at, request.writeId, "raced")).toEqual({ status: "dropped", reason: "raced" });
        }
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, index) => writer(index)));

    const log = (await readLog(db, id, null, 1000)).reverse();
    expect(log.map(({ version }) => version)).toEqual(
      Array.from({ length: 8 * each }, (_, index) => BigInt(index + 1)),
    );
    const hot = log.map(({ updates }) => updates.find(({ name }) => name === "refs/heads/hot")!);
    expect(hot.map(({ oldValue }) => oldValue)).toEqual([null, ...hot.slice(0, -1).map(({ newValue }) => newValue)]);
    const fold = await readFold(db, id);
    expect(fold.refs.size).toBe(8 * each + 2);
    expect(fold.digest).toEqual(digestOf(fold.digestKey, fold.refs));
  });
});

describe("a bump that is refused", () => {
  /** A repository at version 1 with MAIN at A, and the contents of the database before and after `attempt`. */
  async function refused(attempt: (me: Incarnation, id: string) => Promise<() => Promise<unknown>>): Promise<unknown> {
    const me = await incarnation();
    const { id } = await repository(me);
    await bump(db, me, await stage(me, id, 0n, [create(MAIN, A)]));
    const call = await attempt(me, id);
    const before = await contents();
    const answer = await call();
    expect(await contents()).toEqual(before);
    return answer;
  }

  it("says that the write was dropped, to any device", async () => {
    const other = await incarnation();
    for (const asking of [undefined, other]) {
      const answer = await refused(async (me, id) => {
        const request = await stage(me, id, 1n, [create("refs/heads/x", B)]);
        expect(await settleWrite(db, request.writeId, "enough")).toEqual({ status: "dropped", reason: "enough" });
        return () => bump(db, asking ?? me, request);
      });
      expect(answer).toEqual({ outcome: "dropped" });
    }
  });

  it("says dropped for a write that was never staged", async () => {
    const answer = await refused(async (me, repositoryId) => {
      const request = {
        writeId: randomUUID(),
        repositoryId,
        base: 1n,
        digest: EMPTY_DIGEST,
        updates: [create("x", A)],
      };
      return () => bump(db, me, request);
    });
    expect(answer).toEqual({ outcome: "dropped" });
  });

  it.each([
    ["of the incarnation before", (me: Incarnation) => ({ ...me, fence: me.fence - 1n })],
    ["that no incarnation has yet", (me: Incarnation) => ({ ...me, fence: me.fence + 1_000_000n })],
    ["of another device", (me: Incarnation) => ({ ...me, device: `d-${randomUUID()}` })],
  ])("has a fence %s", async (_, impostor) => {
    const answer = await refused(async (me, id) => {
      const request = await stage(me, id, 1n, [create("refs/heads/x", B)]);
      return () => bump(db, impostor(me), request);
    });
    expect(answer).toEqual({ outcome: "fenced" });
  });

  it.each([
    ["behind it", 1n],
    ["beyond it", 3n],
  ])("has a base that is not the head but %s", async (_, base) => {
    const answer = await refused(async (me, id) => {
      const request = await stage(me, id, 1n, [create("refs/heads/x", B)]);
      await bump(db, me, await stage(me, id, 1n, [create("refs/heads/y", B)]));
      return () => bump(db, me, { ...request, base });
    });
    expect(answer).toEqual({ outcome: "stale" });
  });

  it.each<[string, RefUpdate[]]>([
    ["holds something else", [{ name: MAIN, oldValue: B, newValue: C }]],
    ["exists and should not", [create(MAIN, B)]],
    ["does not exist and should", [{ name: "refs/heads/x", oldValue: A, newValue: B }]],
    ["does not exist and should be deleted", [{ name: "refs/heads/x", oldValue: A, newValue: null }]],
    [
      "is one of many",
      [create("refs/heads/x", B), { name: MAIN, oldValue: B, newValue: C }, create("refs/heads/y", B)],
    ],
  ])("is in doubt when a ref %s, and nothing changes", async (_, updates) => {
    const answer = await refused(async (me, id) => {
      const request = await stage(me, id, 1n, updates);
      return () => bump(db, me, request);
    });
    expect(answer).toEqual({ outcome: "in_doubt" });
  });

  it.each<[string, RefUpdate[]]>([
    ["names a ref twice", [create("refs/heads/x", A), create("refs/heads/x", B)]],
    ["changes nothing in one ref", [create("refs/heads/x", A), { name: MAIN, oldValue: A, newValue: A }]],
  ])("leaves nothing behind when it %s", async (_, updates) => {
    await refused(async (me, id) => {
      const request = await stage(me, id, 1n, updates);
      return () => expect(bump(db, me, request)).rejects.toThrow(/ref_log_update/);
    });
  });

  it("says that its repository is gone", async () => {
    const me = await incarnation();
    const { id } = await repository(me);
    const request = await stage(me, id, 0n, [create(MAIN, A)]);
    await query(db.work, "delete from lockstep.repository where id = $1", [id]);
    expect(await bump(db, me, request)).toEqual({ outcome: "missing" });
    expect(await settleWrite(db, request.writeId, "gone")).toEqual({ status: "dropped", reason: "gone" });
  });
});

/** One connection in the guise of a database: between `begin` and `commit` all that it is asked is one transaction. */
function session(): { one: Database; run(text: string, values?: unknown[]): Promise<unknown> } & AsyncDisposable {
  const pool = new pg.Pool({ connectionString: database.url, max: 1, application_name: "session" });
  pool.on("error", () => {});
  return {
    one: { reads: pool, work: pool, lease: pool } as Database,
    run: (text, values) => query(pool, text, values),
    [Symbol.asyncDispose]: () => pool.end(),
  };
}

/** Waits until a statement like `text` waits for a lock, and returns the pid of its backend. */
async function blocked(text: string): Promise<number> {
  return await vi.waitUntil(async () => {
    const [row] = await query<{ pid: number }>(
      db.reads,
      `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like $1`,
      [`%${text}%`],
    );
    return row?.pid;
  }, WAIT);
}

/** Locks the row of a repository, as the bump of another device does. */
async function lockRepository(holder: ReturnType<typeof session>, id: string): Promise<void> {
  await holder.run("begin");
  await holder.run("select from lockstep.repository where id = $1 for update", [id]);
}

/** The answer, or "blocked" when it does not come. */
async function answerAtOnce<T>(answer: Promise<T>): Promise<T | "blocked"> {
  return await Promise.race([answer, delay(3_000, "blocked" as const, { ref: false })]);
}

describe("a bump under way", () => {
  it("does not block the renewal of the lease while it waits for a hot repository", async () => {
    const me = await incarnation();
    const { id } = await repository(me);
    const request = await stage(me, id, 0n, [create(MAIN, A)]);
    await using holder = session();
    await lockRepository(holder, id);
    const bumped = bump(db, me, request);
    await blocked("lockstep.bump");
    expect(await answerAtOnce(renewLease(db, me))).toBe(true);
    await holder.run("rollback");
    expect(await bumped).toEqual({ outcome: "landed", version: 1n });
  });

  it("keeps a take-over waiting, which then finds it landed", async () => {
    const me = await incarnation();
    const { id, name } = await repository(me);
    const request = await stage(me, id, 0n, [create(MAIN, A)]);
    const unfinished = await stage(me, id, 0n, [create("refs/heads/x", A)]);
    await using holder = session();
    await lockRepository(holder, id);
    const bumped = bump(db, me, request);
    await blocked("lockstep.bump");
    const successor = incarnation(me.device);
    await blocked("lockstep.take_over");
    // A take-over that waits must not block the lease either: until it is through, the old incarnation is the one.
    expect(await answerAtOnce(renewLease(db, me))).toBe(true);
    await holder.run("rollback");
    expect(await bumped).toEqual({ outcome: "landed", version: 1n });
    await successor;
    expect(await getWrite(db, name, request.writeId)).toMatchObject({ status: "landed", version: 1n });
    expect(await getWrite(db, name, unfinished.writeId)).toMatchObject({ status: "dropped" });
    expect(await renewLease(db, me)).toBe(false);
  });

  it("waits for a take-over that came first, and is fenced", async () => {
    const me = await incarnation();
    const { id, name } = await repository(me);
    const request = await stage(me, id, 0n, [create(MAIN, A)]);
    await using holder = session();
    await holder.run("begin");
    const again = { ...me, incarnation: randomUUID(), rootId: ROOT, grpcAddress: "", gitAddress: "", zone: "" };
    expect(await takeOver(holder.one, again)).toMatchObject({ outcome: "taken" });
    const bumped = bump(db, me, request);
    await blocked("lockstep.bump");
    await holder.run("commit");
    expect(await bumped).toEqual({ outcome: "fenced" });
    expect(await getWrite(db, name, request.writeId)).toMatchObject({ status: "dropped", version: null });
    expect(await versions(id)).toEqual([]);
  });

  it("lets settle wait once it has begun, which then says landed", async () => {
    const me = await incarnation();
    const { id } = await repository(me);
    const request = await stage(me, id, 0n, [create(MAIN, A)]);
    await using holder = session();
    await holder.run("begin");
    // Behind its last check: it may read the log, but not append.
    await holder.run("lock table lockstep.ref_log in share mode");
    const bumped = bump(db, me, request);
    await blocked("lockstep.bump");
    const settled = settleWrite(db, request.writeId, "impatient");
    await blocked("lockstep.settle_write");
    await holder.run("rollback");
    expect(await bumped).toEqual({ outcome: "landed", version: 1n });
    expect(await settled).toEqual({ status: "landed", version: 1n });
  });

  it("lets settle wait until it was rolled back, and is dropped then", async () => {
    const me = await incarnation();
    const { id } = await repository(me);
    const request = await stage(me, id, 0n, [create(MAIN, A)]);
    await using bumping = session();
    await bumping.run("begin");
    await bump(bumping.one, me, request);
    const settled = settleWrite(db, request.writeId, "impatient");
    await blocked("lockstep.settle_write");
    await bumping.run("rollback");
    expect(await settled).toEqual({ status: "dropped", reason: "impatient" });
    expect(await bump(db, me, request)).toEqual({ outcome: "dropped" });
    expect(await versions(id)).toEqual([]);
  });

  it("is dropped by a settle that comes before its turn at the repository", async () => {
    const me = await incarnation();
    const { id } = await repository(me);
    const request = await stage(me, id, 0n, [create(MAIN, A)]);
    await using holder = session();
    await lockRepository(holder, id);
    const bumped = bump(db, me, request);
    await blocked("lockstep.bump");
    expect(await answerAtOnce(settleWrite(db, request.writeId, "impatient"))).toMatchObject({ status: "dropped" });
    await holder.run("rollback");
    expect(await bumped).toEqual({ outcome: "dropped" });
    expect(await versions(id)).toEqual([]);
  });
});

describe("a bump whose connection breaks", () => {
  const unavailable = expect.objectContaining({ code: "DATABASE_UNAVAILABLE" });

  it("has not landed when its backend was killed while it waited, and settle says so", async () => {
    const me = await incarnation();
    const { id } = await repository(me);
    const request = await stage(me, id, 0n, [create(MAIN, A)]);
    await using holder = session();
    await lockRepository(holder, id);
    const bumped = expect(bump(db, me, request)).rejects.toEqual(unavailable);
    await query(db.reads, "select pg_terminate_backend($1)", [await blocked("lockstep.bump")]);
    await bumped;
    await holder.run("rollback");
    expect(await settleWrite(db, request.writeId, "unknown")).toEqual({ status: "dropped", reason: "unknown" });
    expect(await versions(id)).toEqual([]);
    expect((await readFold(db, id)).head).toBe(0n);
  });

  it("has not landed when its backend was killed before the commit, and settle says so", async () => {
    const me = await incarnation();
    const { id } = await repository(me);
    const request = await stage(me, id, 0n, [create(MAIN, A)]);
    await using bumping = session();
    await bumping.run("begin");
    expect(await bump(bumping.one, me, request)).toMatchObject({ outcome: "landed" });
    const settled = settleWrite(db, request.writeId, "unknown");
    await blocked("lockstep.settle_write");
    await query(
      db.reads,
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and state = 'idle in transaction'",
    );
    expect(await settled).toEqual({ status: "dropped", reason: "unknown" });
    expect(await versions(id)).toEqual([]);
  });

  it("lands all the same when only the answer was lost, and settle says so", async () => {
    const me = await incarnation();
    const { id } = await repository(me);
    const request = await stage(me, id, 0n, [create(MAIN, A)]);
    await using way = await databaseProxy(database.url);
    await using far = new Database({ url: way.url, applicationName: "far" });
    await using holder = session();
    await lockRepository(holder, id);
    const bumped = expect(bump(far, me, request)).rejects.toEqual(unavailable);
    await blocked("lockstep.bump");
    way.cut();
    await bumped;
    await holder.run("rollback");
    await vi.waitUntil(async () => (await readFold(db, id)).head === 1n, WAIT);
    way.mend();
    expect(await settleWrite(far, request.writeId, "unknown")).toEqual({ status: "landed", version: 1n });
    expect(await bump(far, me, request)).toEqual({ outcome: "landed", version: 1n });
  });
});

// Last, because all that it leaves would be read by every comparison of contents.
describe("a big bump", () => {
  it("takes 100,000 refs at once", async ({ annotate }) => {
    const me = await incarnation();
    const { id } = await repository(me);
    const names = Array.from({ length: 100_000 }, (_, index) => `refs/heads/branch-${index}`);
    for (const [base, oldValue, newValue] of [
      [0n, null, A],
      [1n, A, B],
    ] as const) {
      const request = await stage(
        me,
        id,
        base,
        names.map((name) => ({ name, oldValue, newValue })),
      );
      const startedAt = performance.now();
      expect(await bump(db, me, request)).toEqual({ outcome: "landed", version: base + 1n });
      await annotate(`${names.length} refs, ${oldValue ?? "new"}: ${Math.round(performance.now() - startedAt)} ms`);
    }
    const { refs, digest, digestKey } = await readFold(db, id);
    expect(refs.size).toBe(100_001);
    expect(digest).toEqual(digestOf(digestKey, refs));
  });
});
