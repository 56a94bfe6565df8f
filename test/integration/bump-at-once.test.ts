// Decisions of writes that nobody has staged: the bump makes their rows.
import { describe, expect, it, vi } from "vitest";
import { digestOf } from "../../src/digest.ts";
import type { Incarnation } from "../../src/domain.ts";
import { queryOnce } from "../../src/store/database/database.ts";
import { drainDevice } from "../../src/store/device/devices.ts";
import { readFold } from "../../src/store/log/fold.ts";
import { getWrite } from "../../src/store/write/find-write.ts";
import { takeTurn } from "../../src/store/write/turns.ts";
import { stopNewWrites } from "../../src/store/write/write-stops.ts";
import { landWrite, settleWrite } from "../../src/store/write/writes.ts";
import { database, db, elsewhere, makeDatabaseOfFile } from "../support/file-database.ts";
import { openSession } from "../support/open-session.ts";
import { textOf, update } from "../support/refs.ts";
import { SOON } from "../support/soon.ts";
import { atOnce, contents, create, incarnation, repository, versions } from "../support/store-rows.ts";

const MAIN = "refs/heads/main";
const A = "a".repeat(40);
const B = "b".repeat(40);
const LANDED = { outcome: "landed", version: 1n };

makeDatabaseOfFile();

const set = (text: string, ...values: unknown[]) => queryOnce(db.work, text, values);

/** Waits until a statement like `text` waits for a lock. */
const blocked = (text: string) =>
  vi.waitFor(async () => {
    const rows = await queryOnce(
      db.reads,
      "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like $1",
      [`%${text}%`],
    );
    expect(rows).toHaveLength(1);
  }, SOON);

/** Runs statements in a transaction that stays open until `end`. */
function transaction(...first: [string, unknown[]?][]) {
  const holder = openSession(database.url);
  return {
    ...holder,
    async begin() {
      await holder.run("begin");
      for (const [text, values] of first) await holder.run(text, values);
    },
    end: async (how: "commit" | "rollback") => void (await holder.run(how)),
    [Symbol.asyncDispose]: () => holder[Symbol.asyncDispose](),
  };
}

/** Behind its last check a bump makes its row. Then it may read the log, and not append. */
const lockLog = () => transaction(["lock table lockstep.ref_log in share mode"]);

async function fixture() {
  const me = await incarnation(elsewhere);
  // A device drains if others are left.
  const { id, name } = await repository(db, me, await incarnation(elsewhere));
  return { me, id, name, write: await atOnce(db, id, 0n, [create(MAIN, A)]) };
}

describe("a bump of a write that nobody has staged", () => {
  it("makes its row, the version and the fold", async () => {
    const { me, id, name, write } = await fixture();
    expect(await landWrite(db, me, write)).toEqual(LANDED);
    const { digest, digestKey, refs } = await readFold(db, id);
    expect(textOf(refs)).toMatchObject({ [MAIN]: A });
    expect(digest).toEqual(digestOf(digestKey, refs));
    const row = { device: me.device, author: "ada", status: "landed", version: 1n, baseVersion: 0n, reason: "" };
    expect(await getWrite(db, name, write.writeId)).toMatchObject(row);
    // A repeated call, and whoever asks for the outcome, gets the same answer.
    expect(await landWrite(elsewhere, me, write)).toEqual(LANDED);
    expect(await settleWrite(db, me, write, "late")).toEqual({ status: "landed", version: 1n });
    expect(await versions(db, id)).toEqual([1n]);
  });

  it("lands once when it is sent twice at the same time", async () => {
    const { me, id, write } = await fixture();
    expect(await Promise.all([landWrite(db, me, write), landWrite(elsewhere, me, write)])).toEqual([LANDED, LANDED]);
    expect(await versions(db, id)).toEqual([1n]);
  });

  it("finds the row of a write that was dropped before it came", async () => {
    const { me, id, write } = await fixture();
    expect(await settleWrite(db, me, write, "enough")).toEqual({ status: "dropped", reason: "enough" });
    const before = await contents(db);
    expect(await landWrite(db, me, write)).toEqual({ outcome: "dropped" });
    expect(await contents(db)).toEqual(before);
    expect(await versions(db, id)).toEqual([]);
  });

  it("waits for one that drops the write at this moment, and appends nothing", async () => {
    const { me, id, name, write } = await fixture();
    await using dropping = transaction();
    await dropping.begin();
    await settleWrite(dropping.one, me, write, "enough");
    const bumped = landWrite(db, me, write);
    await blocked("lockstep.bump");
    await dropping.end("commit");
    expect(await bumped).toEqual({ outcome: "dropped" });
    expect(await versions(db, id)).toEqual([]);
    expect((await readFold(db, id)).head).toBe(0n);
    expect(await getWrite(db, name, write.writeId)).toMatchObject({ status: "dropped", dropReason: "enough" });
  });

  it.each([
    ["waits for it, and hears that it has landed", "rollback"],
    ["drops it when it is broken off", "break"],
  ] as const)("a question for its outcome meanwhile %s", async (_, how) => {
    const { me, id, write } = await fixture();
    await using log = lockLog();
    await log.begin();
    const bumped = landWrite(db, me, write).catch(() => "failed");
    await blocked("lockstep.bump");
    const settled = settleWrite(elsewhere, me, write, "impatient");
    await blocked("lockstep.settle_write");
    if (how === "break")
      await set(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like '%lockstep.bump(%' and wait_event_type = 'Lock'",
      );
    // Its connection was there before, so the statement is repeated on another one. That one finds the dropped write.
    if (how === "break") expect(await settled).toEqual({ status: "dropped", reason: "impatient" });
    await log.end("rollback");
    if (how === "rollback") expect(await settled).toEqual({ status: "landed", version: 1n });
    if (how === "rollback") expect(await bumped).toEqual(LANDED);
    else expect([{ outcome: "dropped" }, "failed"]).toContainEqual(await bumped);
    expect(await versions(db, id)).toEqual(how === "rollback" ? [1n] : []);
  });

  it.each<[string, (me: Incarnation, id: string) => Promise<unknown>, string]>([
    [
      "the device takes no writes",
      ({ device }) => set("update lockstep.device set writes = false where name = $1", device),
      "not_at_once",
    ],
    ["the device drains", ({ device }) => drainDevice(db, device, "olga"), "not_at_once"],
    [
      "the keys of the device are revoked",
      ({ device }) => set("update lockstep.device set revoked_at = now() where name = $1", device),
      "not_at_once",
    ],
    [
      "copies are wanted",
      (_, id) => set("update lockstep.repository set min_copies = 2 where id = $1", id),
      "not_at_once",
    ],
    ["writes are stopped", (_, id) => stopNewWrites(db, [id], { author: "olga", reason: "upgrade" }), "stopped"],
    [
      "the repository is removed",
      (_, id) =>
        set(
          "update lockstep.repository set removed_at = now(), removed_name = name, keep_until = now() where id = $1",
          id,
        ),
      "missing",
    ],
    [
      "the replica is given up",
      (_, id) =>
        set("update lockstep.replica set state = 'released', released_at = now() where repository_id = $1", id),
      "missing",
    ],
    [
      "another write has the turn",
      (me, repositoryId) =>
        takeTurn(db, me, { repositoryId, writeId: crypto.randomUUID(), author: "bob", reason: "push" }),
      "turn",
    ],
    ["another sidecar has the device", ({ device }) => incarnation(elsewhere, { device }), "fenced"],
  ])("changes nothing if %s", async (_, happens, outcome) => {
    const { me, id, write } = await fixture();
    await happens(me, id);
    const before = await contents(db);
    expect(await landWrite(db, me, write)).toMatchObject({ outcome });
    expect(await contents(db)).toEqual(before);
  });

  it("is refused where the pusher has seen another value", async () => {
    const { me, id, write } = await fixture();
    await landWrite(db, me, write);
    const lost = await atOnce(db, id, 1n, [update(MAIN, B, A)]);
    expect(await landWrite(db, me, lost)).toEqual({ outcome: "in_doubt" });
    expect(await versions(db, id)).toEqual([1n]);
  });

  it("waits for a drain of its device that is under way, and does not land", async () => {
    const { me, id, write } = await fixture();
    await using draining = transaction(["select lockstep.drain_device($1, 'olga')", [me.device]]);
    await draining.begin();
    const bumped = landWrite(db, me, write);
    await blocked("lockstep.bump");
    await draining.end("commit");
    expect(await bumped).toEqual({ outcome: "not_at_once" });
    expect(await versions(db, id)).toEqual([]);
  });

  it("is waited for by a drain of its device, which then finds its version", async () => {
    const { me, id, write } = await fixture();
    await using log = lockLog();
    await log.begin();
    const bumped = landWrite(db, me, write);
    await blocked("lockstep.bump");
    const drained = drainDevice(elsewhere, me.device, "olga");
    await blocked("lockstep.drain_device");
    await log.end("rollback");
    expect(await bumped).toEqual(LANDED);
    await drained;
    expect(await versions(db, id)).toEqual([1n]);
  });

  it.each([["its repository"], ["all repositories"]])("is waited for by a stop of %s", async (which) => {
    const { me, id, write } = await fixture();
    const other = await fixture();
    await using log = lockLog();
    await log.begin();
    const bumped = landWrite(db, me, write);
    await blocked("lockstep.bump");
    let ended = false;
    const stopped = stopNewWrites(elsewhere, [which === "its repository" ? id : null], { author: "olga", reason: "" });
    void stopped.then(() => {
      ended = true;
    });
    await blocked("lockstep.stop_new_writes");
    // No write waits for a stop: such a write is staged, which others see.
    expect(await landWrite(db, other.me, other.write)).toEqual({ outcome: "not_at_once" });
    expect(ended).toBe(false);
    await log.end("rollback");
    expect(await bumped).toEqual(LANDED);
    await stopped;
    await set("delete from lockstep.write_stop");
  });
});
