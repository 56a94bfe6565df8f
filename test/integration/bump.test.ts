// The bump: the statement that lands a write.
import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { differenceOf, digestOf } from "../../src/digest.ts";
import { HEAD, symbolicTo } from "../../src/domain.ts";
import { Database, queryOnce } from "../../src/store/database/database.ts";
import { readFold } from "../../src/store/log/fold.ts";
import { readLog } from "../../src/store/log/list-log.ts";
import { getWrite } from "../../src/store/write/find-write.ts";
import { landWrite, settleWrite, stageWrite } from "../../src/store/write/writes.ts";
import { database, db, elsewhere, makeDatabaseOfFile } from "../support/file-database.ts";
import { ref, textOf, update } from "../support/refs.ts";
import { create, incarnation, repository, stage, versions } from "../support/store-rows.ts";

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

// Last, because all that it leaves would be read by every comparison of contents.
describe("a big bump", () => {
  it("one bump takes 100,000 refs", async ({ annotate }) => {
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
