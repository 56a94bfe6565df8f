import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { differenceOf, digestOf, EMPTY_DIGEST } from "../../src/digest.ts";
import { HEAD, type Incarnation, type RefUpdate, symbolicTo } from "../../src/domain.ts";
import { Database, queryOnce } from "../../src/store/database/database.ts";
import { readFold } from "../../src/store/log/fold.ts";
import { readLog } from "../../src/store/log/list-log.ts";
import { getWrite } from "../../src/store/write/find-write.ts";
import { landWrite, settleWrite, stageWrite } from "../../src/store/write/writes.ts";
import { database, db, elsewhere, makeDatabaseOfFile } from "../support/file-database.ts";
import { ref, textOf, update } from "../support/refs.ts";
import { contents, create, incarnation, repository, stage, versions } from "../support/store-rows.ts";

const MAIN = "refs/heads/main";
const A = "a".repeat(40);
const B = "b".repeat(40);
const C = "c".repeat(40);

makeDatabaseOfFile();

describe("a bump", () => {
  it("appends the next version, and fold, head and write row follow", async () => {
    const me = await incarnation(elsewhere);
    const { id, name } = await repository(db, me);
    const { digestKey } = await readFold(db, id);
    const first = await stage(db, me, id, 0n, [create(MAIN, A), create("refs/tags/v1", B)]);
    expect(await landWrite(db, me, first)).toEqual({ outcome: "landed", version: 1n });
    const second = await stage(db, me, id, 1n, [
      update(MAIN, A, C),
      update("refs/tags/v1", B, null),
      { name: HEAD, oldValue: symbolicTo(ref(MAIN)), newValue: symbolicTo(ref("refs/heads/dev")) },
    ]);
    expect(await landWrite(db, me, second)).toEqual({ outcome: "landed", version: 2n });

    const fold = await readFold(db, id);
    expect(fold.head).toBe(2n);
    expect(textOf(fold.refs)).toEqual({ HEAD: "ref: refs/heads/dev", [MAIN]: C });
    expect(fold.digest).toEqual(digestOf(digestKey, fold.refs));
    const [newest] = await readLog(db, id, null, 1);
    expect(newest).toMatchObject({ version: 2n, writeId: second.writeId, device: me.device, author: "ada" });
    expect(new Set(newest!.updates)).toEqual(new Set(second.updates));
    expect(await getWrite(db, name, second.writeId)).toMatchObject({ status: "landed", version: 2n, dropReason: null });
  });

  it("gives the same answer to a repeated call, from any caller and at any time", async () => {
    const me = await incarnation(elsewhere);
    const other = await incarnation(elsewhere);
    const { id } = await repository(db, me, other);
    const request = await stage(db, me, id, 0n, [create(MAIN, A)]);
    const landed = { outcome: "landed", version: 1n };
    expect(await landWrite(db, me, request)).toEqual(landed);
    expect(await landWrite(db, me, request)).toEqual(landed);
    expect(await landWrite(elsewhere, other, request)).toEqual(landed);
    await landWrite(db, other, await stage(db, other, id, 1n, [update(MAIN, A, B)]));
    expect(await landWrite(db, me, request)).toEqual(landed);
    const successor = await incarnation(elsewhere, { device: me.device });
    expect(await landWrite(db, me, request)).toEqual(landed);
    expect(await landWrite(elsewhere, successor, request)).toEqual(landed);
    expect(await settleWrite(db, me, request, "any")).toEqual({ status: "landed", version: 1n });
    expect(await versions(db, id)).toEqual([2n, 1n]);
  });

  it("lands once when it is sent twice at the same time", async () => {
    const me = await incarnation(elsewhere);
    const { id } = await repository(db, me);
    const request = await stage(db, me, id, 0n, [create(MAIN, A)]);
    const both = await Promise.all([landWrite(db, me, request), landWrite(elsewhere, me, request)]);
    expect(both).toEqual(Array(2).fill({ outcome: "landed", version: 1n }));
    expect(await versions(db, id)).toEqual([1n]);
  });

  it("takes names and values of any bytes", async () => {
    const me = await incarnation(elsewhere);
    const { id } = await repository(db, me);
    const names = ["\xff\xfe", "\\x41", '"{}",', "NULL", "\xc3\xa4", "a\xcc\x88", "é'--"].map(
      (name) => `refs/heads/${name}`,
    );
    const created = [...names.map((name) => create(name, A)), create("refs/sym", "ref: refs/heads/\xff\xfe")];
    expect(await landWrite(db, me, await stage(db, me, id, 0n, created))).toMatchObject({ outcome: "landed" });
    const { refs, digest, digestKey } = await readFold(db, id);
    for (const { name, newValue } of created) expect(refs.get(name)).toBe(newValue);
    expect(refs.size).toBe(created.length + 1);
    expect(digest).toEqual(digestOf(digestKey, refs));
    const removed = created.map(({ name, newValue }) => ({ name, oldValue: newValue, newValue: null }));
    expect(await landWrite(db, me, await stage(db, me, id, 1n, removed))).toMatchObject({ outcome: "landed" });
    expect((await readFold(db, id)).refs.size).toBe(1);
  });

  it("makes dense versions when eight writers on three devices race", async () => {
    const machines = [db, elsewhere, new Database({ url: database.url, applicationName: "third" })];
    await using _third = machines[2]!;
    const devices = await Promise.all(machines.map(() => incarnation(elsewhere)));
    const { id } = await repository(db, ...devices);
    const each = 4;
    const writer = async (index: number): Promise<void> => {
      const [at, me] = [machines[index % 3]!, devices[index % 3]!];
      for (let landed = 0; landed < each; ) {
        const { head: base, refs, digestKey } = await readFold(at, id);
        const updates = [
          update("refs/heads/hot", textOf(refs)["refs/heads/hot"] ?? null, randomUUID()),
          create(`refs/heads/${index}-${landed}`, A),
        ];
        const request = { writeId: randomUUID(), repositoryId: id, author: "ada", base, updates };
        const names = updates.map(({ name }) => name);
        const staged = await stageWrite(at, me, { ...request, names });
        if (staged.outcome === "stale") continue;
        expect(staged.outcome).toBe("staged");
        const bumped = await landWrite(at, me, { ...request, difference: differenceOf(digestKey, updates) });
        if (bumped.outcome === "landed") landed += 1;
        else {
          expect(bumped.outcome).toBe("stale");
          expect(await settleWrite(at, me, request, "raced")).toEqual({ status: "dropped", reason: "raced" });
        }
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, index) => writer(index)));

    const log = (await readLog(db, id, null, 1000)).reverse();
    expect(log.map(({ version }) => version)).toEqual(
      Array.from({ length: 8 * each }, (_, index) => BigInt(index + 1)),
    );
    const hot = log.map(({ updates }) => updates.find(({ name }) => name === ref("refs/heads/hot"))!);
    expect(hot.map(({ oldValue }) => oldValue)).toEqual([null, ...hot.slice(0, -1).map(({ newValue }) => newValue)]);
    const fold = await readFold(db, id);
    expect(fold.refs.size).toBe(8 * each + 2);
    expect(fold.digest).toEqual(digestOf(fold.digestKey, fold.refs));
  });
});

describe("a bump that is refused", () => {
  /** A repository at version 1 with MAIN at A, and the contents of the database before and after `attempt`. */
  async function refused(attempt: (me: Incarnation, id: string) => Promise<() => Promise<unknown>>): Promise<unknown> {
    const me = await incarnation(elsewhere);
    const { id } = await repository(db, me);
    await landWrite(db, me, await stage(db, me, id, 0n, [create(MAIN, A)]));
    const call = await attempt(me, id);
    const before = await contents(db);
    const answer = await call();
    expect(await contents(db)).toEqual(before);
    return answer;
  }

  it("says that the write was dropped, to any device", async () => {
    const other = await incarnation(elsewhere);
    for (const asking of [undefined, other]) {
      const answer = await refused(async (me, id) => {
        const request = await stage(db, me, id, 1n, [create("refs/heads/x", B)]);
        expect(await settleWrite(db, me, request, "enough")).toEqual({ status: "dropped", reason: "enough" });
        return () => landWrite(db, asking ?? me, request);
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
        difference: EMPTY_DIGEST,
        updates: [create("x", A)],
      };
      return () => landWrite(db, me, request);
    });
    expect(answer).toEqual({ outcome: "dropped" });
  });

  it.each([
    ["of the incarnation before", (me: Incarnation) => ({ ...me, fence: me.fence - 1n })],
    ["that no incarnation has yet", (me: Incarnation) => ({ ...me, fence: me.fence + 1_000_000n })],
    ["of another device", (me: Incarnation) => ({ ...me, device: `d-${randomUUID()}` })],
  ])("has a fence %s", async (_, impostor) => {
    const answer = await refused(async (me, id) => {
      const request = await stage(db, me, id, 1n, [create("refs/heads/x", B)]);
      return () => landWrite(db, impostor(me), request);
    });
    expect(answer).toEqual({ outcome: "fenced" });
  });

  it.each([
    ["behind it", 1n],
    ["beyond it", 3n],
  ])("has a base that is not the head but %s", async (_, base) => {
    const answer = await refused(async (me, id) => {
      const request = await stage(db, me, id, 1n, [create("refs/heads/x", B)]);
      await landWrite(db, me, await stage(db, me, id, 1n, [create("refs/heads/y", B)]));
      return () => landWrite(db, me, { ...request, base });
    });
    expect(answer).toEqual({ outcome: "stale" });
  });

  it.each<[string, RefUpdate[]]>([
    ["holds something else", [update(MAIN, B, C)]],
    ["exists and should not", [create(MAIN, B)]],
    ["does not exist and should", [update("refs/heads/x", A, B)]],
    ["does not exist and should be deleted", [update("refs/heads/x", A, null)]],
    ["is one of many", [create("refs/heads/x", B), update(MAIN, B, C), create("refs/heads/y", B)]],
  ])("is in doubt when a ref %s, and nothing changes", async (_, updates) => {
    const answer = await refused(async (me, id) => {
      const request = await stage(db, me, id, 1n, updates);
      return () => landWrite(db, me, request);
    });
    expect(answer).toEqual({ outcome: "in_doubt" });
  });

  it.each<[string, RefUpdate[]]>([
    ["names a ref twice", [create("refs/heads/x", A), create("refs/heads/x", B)]],
    ["changes nothing in one ref", [create("refs/heads/x", A), update(MAIN, A, A)]],
  ])("leaves nothing behind when it %s", async (_, updates) => {
    await refused(async (me, id) => {
      const request = await stage(db, me, id, 1n, updates);
      return () => expect(landWrite(db, me, request)).rejects.toThrow(/ref_log_update/);
    });
  });

  it("says that its repository is gone", async () => {
    const me = await incarnation(elsewhere);
    const { id } = await repository(db, me);
    const request = await stage(db, me, id, 0n, [create(MAIN, A)]);
    await queryOnce(db.work, "delete from lockstep.repository where id = $1", [id]);
    expect(await landWrite(db, me, request)).toEqual({ outcome: "missing" });
    expect(await settleWrite(db, me, request, "gone")).toEqual({ status: "dropped", reason: "gone" });
  });
});

// Last, because all that it leaves would be read by every comparison of contents.
describe("a big bump", () => {
  it("takes 100,000 refs at once", async ({ annotate }) => {
    const me = await incarnation(elsewhere);
    const { id } = await repository(db, me);
    // The planner takes every repository for as small as this one is now, also in plans that it keeps.
    await queryOnce(db.work, "analyze lockstep.repository_ref");
    for (let time = 0; time < 8; time += 1) {
      const other = await repository(db, me);
      await landWrite(db, me, await stage(db, me, other.id, 0n, [create("refs/heads/main", A)]));
    }
    const names = Array.from({ length: 100_000 }, (_, index) => `refs/heads/branch-${index}`);
    for (const [base, oldValue, newValue] of [
      [0n, null, A],
      [1n, A, B],
      [2n, B, null],
      [3n, null, B],
    ] as const) {
      const request = await stage(
        db,
        me,
        id,
        base,
        names.map((name) => update(name, oldValue, newValue)),
      );
      const startedAt = performance.now();
      expect(await landWrite(db, me, request)).toEqual({ outcome: "landed", version: base + 1n });
      await annotate(`${names.length} refs, ${oldValue ?? "new"}: ${Math.round(performance.now() - startedAt)} ms`);
    }
    const { refs, digest, digestKey } = await readFold(db, id);
    expect(refs.size).toBe(100_001);
    expect(digest).toEqual(digestOf(digestKey, refs));
  });
});
