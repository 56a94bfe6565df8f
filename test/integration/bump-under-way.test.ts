import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { Database, queryOnce } from "../../src/store/database/database.ts";
import { renewLease, takeOver } from "../../src/store/device/device-lease.ts";
import { readFold } from "../../src/store/log/fold.ts";
import { getWrite } from "../../src/store/write/find-write.ts";
import { landWrite, settleWrite } from "../../src/store/write/writes.ts";
import { databaseProxy } from "../support/database-proxy.ts";
import { database, db, elsewhere, makeDatabaseOfFile } from "../support/file-database.ts";
import { type OpenSession, openSession } from "../support/open-session.ts";
import { soon } from "../support/soon.ts";
import { create, HERE, incarnation, repository, stage, starting, versions } from "../support/store-rows.ts";

const MAIN = "refs/heads/main";
const A = "a".repeat(40);
const WAIT = soon(5);

makeDatabaseOfFile();

function session(): OpenSession {
  return openSession(database.url);
}

/** Waits until a statement like `text` waits for a lock, and returns the pid of its backend. */
async function blocked(text: string): Promise<number> {
  return await vi.waitUntil(async () => {
    const [row] = await queryOnce<{ pid: number }>(
      db.reads,
      `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like $1`,
      [`%${text}%`],
    );
    return row?.pid;
  }, WAIT);
}

/** Locks the row of a repository, as the bump of another device does. */
async function lockRepository(holder: OpenSession, id: string): Promise<void> {
  await holder.run("begin");
  await holder.run("select from lockstep.repository where id = $1 for update", [id]);
}

/** The answer, or "blocked" when it does not come. */
async function answerAtOnce<T>(answer: Promise<T>): Promise<T | "blocked"> {
  return await Promise.race([answer, delay(12_000, "blocked" as const, { ref: false })]);
}

describe("a bump under way", () => {
  it("does not block the renewal of the lease while it waits for a hot repository", async () => {
    const me = await incarnation(elsewhere);
    const { id } = await repository(db, me);
    const request = await stage(db, me, id, 0n, [create(MAIN, A)]);
    await using holder = session();
    await lockRepository(holder, id);
    const bumped = landWrite(db, me, request);
    await blocked("lockstep.bump");
    expect(await answerAtOnce(renewLease(db, me, HERE))).toEqual(expect.any(String));
    await holder.run("rollback");
    expect(await bumped).toEqual({ outcome: "landed", version: 1n });
  });

  it("keeps a take-over waiting, which then finds it landed", async () => {
    const me = await incarnation(elsewhere);
    const { id, name } = await repository(db, me);
    const request = await stage(db, me, id, 0n, [create(MAIN, A)]);
    const unfinished = await stage(db, me, id, 0n, [create("refs/heads/x", A)]);
    await using holder = session();
    await lockRepository(holder, id);
    const bumped = landWrite(db, me, request);
    await blocked("lockstep.bump");
    const successor = incarnation(elsewhere, { device: me.device });
    await blocked("lockstep.take_over");
    // A take-over that waits must not block the lease either: until it is through, the old incarnation is the one.
    expect(await answerAtOnce(renewLease(db, me, HERE))).toEqual(expect.any(String));
    await holder.run("rollback");
    expect(await bumped).toEqual({ outcome: "landed", version: 1n });
    await successor;
    expect(await getWrite(db, name, request.writeId)).toMatchObject({ status: "landed", version: 1n });
    expect(await getWrite(db, name, unfinished.writeId)).toMatchObject({ status: "dropped" });
    expect(await renewLease(db, me, HERE)).toBeUndefined();
  });

  it("waits for a take-over that came first, and is fenced", async () => {
    const me = await incarnation(elsewhere);
    const { id, name } = await repository(db, me);
    const request = await stage(db, me, id, 0n, [create(MAIN, A)]);
    await using holder = session();
    await holder.run("begin");
    const again = starting({ device: me.device });
    expect(await takeOver(holder.one, again)).toMatchObject({ outcome: "taken" });
    const bumped = landWrite(db, me, request);
    await blocked("lockstep.bump");
    await holder.run("commit");
    expect(await bumped).toEqual({ outcome: "fenced" });
    expect(await getWrite(db, name, request.writeId)).toMatchObject({ status: "dropped", version: null });
    expect(await versions(db, id)).toEqual([]);
  });

  it("lets settle wait once it has begun, which then says landed", async () => {
    const me = await incarnation(elsewhere);
    const { id } = await repository(db, me);
    const request = await stage(db, me, id, 0n, [create(MAIN, A)]);
    await using holder = session();
    await holder.run("begin");
    // Behind its last check: it may read the log, but not append.
    await holder.run("lock table lockstep.ref_log in share mode");
    const bumped = landWrite(db, me, request);
    await blocked("lockstep.bump");
    const settled = settleWrite(db, me, request, "impatient");
    await blocked("lockstep.settle_write");
    await holder.run("rollback");
    expect(await bumped).toEqual({ outcome: "landed", version: 1n });
    expect(await settled).toEqual({ status: "landed", version: 1n });
  });

  it("lets settle wait until it was rolled back, and is dropped then", async () => {
    const me = await incarnation(elsewhere);
    const { id } = await repository(db, me);
    const request = await stage(db, me, id, 0n, [create(MAIN, A)]);
    await using bumping = session();
    await bumping.run("begin");
    await landWrite(bumping.one, me, request);
    const settled = settleWrite(db, me, request, "impatient");
    await blocked("lockstep.settle_write");
    await bumping.run("rollback");
    expect(await settled).toEqual({ status: "dropped", reason: "impatient" });
    expect(await landWrite(db, me, request)).toEqual({ outcome: "dropped" });
    expect(await versions(db, id)).toEqual([]);
  });

  it("is dropped by a settle that comes before its turn at the repository", async () => {
    const me = await incarnation(elsewhere);
    const { id } = await repository(db, me);
    const request = await stage(db, me, id, 0n, [create(MAIN, A)]);
    await using holder = session();
    await lockRepository(holder, id);
    const bumped = landWrite(db, me, request);
    await blocked("lockstep.bump");
    expect(await answerAtOnce(settleWrite(db, me, request, "impatient"))).toMatchObject({ status: "dropped" });
    await holder.run("rollback");
    expect(await bumped).toEqual({ outcome: "dropped" });
    expect(await versions(db, id)).toEqual([]);
  });
});

describe("a bump whose connection breaks", () => {
  const unavailable = expect.objectContaining({ code: "DATABASE_UNAVAILABLE" });

  it("has not landed when its backend was killed while it waited, and settle says so", async () => {
    const me = await incarnation(elsewhere);
    const { id } = await repository(db, me);
    const request = await stage(db, me, id, 0n, [create(MAIN, A)]);
    await using holder = session();
    await lockRepository(holder, id);
    // What its first connection says is final.
    await using anew = new Database({ url: database.url, applicationName: "anew" });
    const bumped = expect(landWrite(anew, me, request)).rejects.toEqual(unavailable);
    await queryOnce(db.reads, "select pg_terminate_backend($1)", [await blocked("lockstep.bump")]);
    await bumped;
    await holder.run("rollback");
    expect(await settleWrite(db, me, request, "unknown")).toEqual({ status: "dropped", reason: "unknown" });
    expect(await versions(db, id)).toEqual([]);
    expect((await readFold(db, id)).head).toBe(0n);
  });

  it("has not landed when its backend was killed before the commit, and settle says so", async () => {
    const me = await incarnation(elsewhere);
    const { id } = await repository(db, me);
    const request = await stage(db, me, id, 0n, [create(MAIN, A)]);
    await using bumping = session();
    await bumping.run("begin");
    expect(await landWrite(bumping.one, me, request)).toMatchObject({ outcome: "landed" });
    const settled = settleWrite(db, me, request, "unknown");
    await blocked("lockstep.settle_write");
    await queryOnce(
      db.reads,
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and state = 'idle in transaction'",
    );
    expect(await settled).toEqual({ status: "dropped", reason: "unknown" });
    expect(await versions(db, id)).toEqual([]);
  });

  it("lands all the same when only the answer was lost, and settle says so", async () => {
    const me = await incarnation(elsewhere);
    const { id } = await repository(db, me);
    const request = await stage(db, me, id, 0n, [create(MAIN, A)]);
    await using way = await databaseProxy(database.url);
    await using far = new Database({ url: way.url, applicationName: "far" });
    await using holder = session();
    await lockRepository(holder, id);
    const bumped = expect(landWrite(far, me, request)).rejects.toEqual(unavailable);
    await blocked("lockstep.bump");
    way.cut();
    await bumped;
    await holder.run("rollback");
    await vi.waitUntil(async () => (await readFold(db, id)).head === 1n, WAIT);
    way.mend();
    expect(await settleWrite(far, me, request, "unknown")).toEqual({ status: "landed", version: 1n });
    expect(await landWrite(far, me, request)).toEqual({ outcome: "landed", version: 1n });
  });
});
