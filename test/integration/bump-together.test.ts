// Decisions of several writes by one statement: all or none, each as a version of its own.
import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { addDigests, differenceOf, digestOf } from "../../src/digest.ts";
import type { RefUpdate } from "../../src/domain.ts";
import { queryOnce } from "../../src/store/database/database.ts";
import { readFold } from "../../src/store/log/fold.ts";
import { landTogether } from "../../src/store/write/land-together.ts";
import { landWrite, settleWrite } from "../../src/store/write/writes.ts";
import { db, elsewhere, makeDatabaseOfFile } from "../support/file-database.ts";
import { update } from "../support/refs.ts";
import { contents, create, incarnation, repository, versions } from "../support/store-rows.ts";

const A = "a".repeat(40);
const B = "b".repeat(40);

makeDatabaseOfFile();

/** A repository at version 1, whose branch `main` is at A. */
async function fixture() {
  const me = await incarnation(elsewhere);
  const { id } = await repository(db, me);
  const { digestKey: key, digest } = await readFold(db, id);
  const one = (updates: readonly RefUpdate[]) => ({
    ...{ writeId: randomUUID(), repositoryId: id, author: "ada", updates },
    difference: differenceOf(key, updates),
  });
  const first = one([create("refs/heads/main", A)]);
  const landed = await landWrite(db, me, { ...first, base: 0n, baseDigest: digest, atOnceBy: "ada" });
  expect(landed).toEqual({ outcome: "landed", version: 1n });
  const onFirst = { repositoryId: id, base: 1n, baseDigest: addDigests(digest, first.difference) };
  const request = (...pushes: RefUpdate[][]) => ({ ...onFirst, writes: pushes.map(one) });
  /** Another device lands a ref meanwhile. */
  const overtake = () => landWrite(db, me, { ...onFirst, ...one([create("refs/heads/t", A)]), atOnceBy: "bob" });
  return { me, id, key, request, overtake };
}

const statuses = (id: string) =>
  queryOnce<{ status: string }>(db.work, "select status from lockstep.write where repository_id = $1", [id]);

describe("writes that are decided together", () => {
  it("get the next versions in their order, each with its refs and its digest", async () => {
    const { me, id, key, request } = await fixture();
    const moved = [update("refs/heads/main", A, B)];
    const two = [create("refs/heads/x", A), create("refs/heads/y", B)];
    const asked = request(moved, two, [create("refs/heads/z", B)]);
    expect(await landTogether(db, me, asked)).toEqual([2n, 3n, 4n]);
    const fold = await readFold(db, id);
    expect(fold.head).toBe(4n);
    expect(fold.digest).toEqual(digestOf(key, fold.refs));
    const log = await queryOnce<{ version: bigint; digest: Buffer; names: string[] }>(
      db.work,
      `select l.version, l.digest, array_agg(convert_from(u.name, 'UTF8') order by u.name) as names
       from lockstep.ref_log l join lockstep.ref_log_update u using (repository_id, version)
       where l.repository_id = $1 group by 1, 2 order by 1`,
      [id],
    );
    expect(log.map(({ names }) => names)).toEqual([
      ["refs/heads/main"],
      ["refs/heads/main"],
      ["refs/heads/x", "refs/heads/y"],
      ["refs/heads/z"],
    ]);
    let digest = asked.baseDigest;
    for (const [index, { difference }] of asked.writes.entries()) {
      digest = addDigests(digest, difference);
      expect(log[index + 1]?.digest).toEqual(digest);
    }
  });

  it("give the same versions to a statement that is sent again", async () => {
    const { me, id, request } = await fixture();
    const asked = request([create("refs/heads/x", A)], [create("refs/heads/y", A)]);
    expect(await landTogether(db, me, asked)).toEqual([2n, 3n]);
    expect(await landTogether(db, me, asked)).toEqual([2n, 3n]);
    expect(await versions(db, id)).toHaveLength(3);
  });

  it.each<[string, RefUpdate[]]>([
    ["has another old value than the head", [update("refs/heads/main", B, A)]],
    ["makes a ref that is there", [create("refs/heads/main", B)]],
  ])("land none if one of them %s", async (_, bad) => {
    const { me, id, request } = await fixture();
    const before = await contents(db);
    for (const place of [0, 1, 2]) {
      const pushes = [[create("refs/heads/x", A)], [create("refs/heads/y", A)]];
      pushes.splice(place, 0, bad);
      expect(await landTogether(db, me, request(...pushes))).toBeUndefined();
      expect(await contents(db)).toEqual(before);
    }
    expect(await statuses(id)).toHaveLength(1);
  });

  it("land none if one of them was dropped before, and the others can be dropped", async () => {
    const { me, id, request } = await fixture();
    const asked = request([create("refs/heads/x", A)], [create("refs/heads/y", A)]);
    await settleWrite(db, me, asked.writes[1]!, "test");
    expect(await landTogether(db, me, asked)).toBeUndefined();
    expect(await settleWrite(db, me, asked.writes[0]!, "test")).toMatchObject({ status: "dropped" });
    expect(await versions(db, id)).toHaveLength(1);
  });

  it("land over versions that their device does not have", async () => {
    const { me, id, key, request, overtake } = await fixture();
    await overtake();
    expect(await landTogether(db, me, request([create("refs/heads/x", A)], [create("refs/heads/y", A)]))).toEqual([
      3n,
      4n,
    ]);
    const fold = await readFold(db, id);
    expect(fold.digest).toEqual(digestOf(key, fold.refs));
  });

  it("land none over a version whose ref excludes one of theirs", async () => {
    const { me, id, request, overtake } = await fixture();
    await overtake();
    for (const pushes of [
      [[create("refs/heads/t/a", A)], [create("refs/heads/x", A)]],
      [[create("refs/heads/x", A)], [create("refs/heads/t/a", A)]],
    ])
      expect(await landTogether(db, me, request(...pushes))).toBeUndefined();
    expect(await versions(db, id)).toHaveLength(2);
  });

  it("writes of a device that was taken over do not land", async () => {
    const { me, id, request } = await fixture();
    const asked = request([create("refs/heads/x", A)], [create("refs/heads/y", A)]);
    expect(await landTogether(db, { ...me, fence: me.fence - 1n }, asked)).toBeUndefined();
    expect(await versions(db, id)).toHaveLength(1);
  });
});
