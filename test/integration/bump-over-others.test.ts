// The decision about a write whose device does not know the newest versions. Only the refs that it touches decide.
import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { addDigests, digestOf, EMPTY_DIGEST } from "../../src/digest.ts";
import type { Incarnation, RefName, RefUpdate, RefValue } from "../../src/domain.ts";
import { symbolicTo } from "../../src/domain.ts";
import { queryOnce, queryOnceRow } from "../../src/store/database/database.ts";
import { readFold } from "../../src/store/log/fold.ts";
import { type LandRequest, landWrite, stageWrite, type WriteIdentity } from "../../src/store/write/writes.ts";
import { db, elsewhere, makeDatabaseOfFile } from "../support/file-database.ts";
import { ref, textOf, update } from "../support/refs.ts";
import { contents, create, incarnation, repository, stage, versions } from "../support/store-rows.ts";

const MAIN = "refs/heads/main";
const A = "a".repeat(40);
const B = "b".repeat(40);
const C = "c".repeat(40);

makeDatabaseOfFile();

type Write = LandRequest & WriteIdentity;

/** A repository at version 1 with main at A, and a write of a device that holds that version. */
async function written(updates: readonly RefUpdate[], before: readonly RefUpdate[] = []) {
  const [me, other] = [await incarnation(db), await incarnation(elsewhere)];
  const { id } = await repository(db, me, other);
  await landWrite(db, me, await stage(db, me, id, 0n, [create(MAIN, A), ...before]));
  const { digest } = await readFold(db, id);
  const write: Write = { ...(await stage(db, me, id, 1n, updates)), baseDigest: digest };
  return { me, other, id, write };
}

/** Another device lands updates on the head. */
async function landOther(other: Incarnation, id: string, ...updates: RefUpdate[]): Promise<void> {
  const { head } = await readFold(db, id);
  const landed = await landWrite(db, other, await stage(db, other, id, head, updates));
  expect(landed).toEqual({ outcome: "landed", version: head + 1n });
}

/** Checks that the answer is "stale" and changes nothing. */
async function expectStale(me: Incarnation, write: Write): Promise<void> {
  const before = await contents(db);
  expect(await landWrite(db, me, write)).toEqual({ outcome: "stale" });
  expect(await contents(db)).toEqual(before);
}

describe("a write whose device lacks the newest versions", () => {
  it("lands above them when its refs are untouched, and each digest is that of the refs", async () => {
    const { me, other, id, write } = await written([update(MAIN, A, B), create("refs/heads/mine", C)]);
    await landOther(other, id, create("refs/heads/x", A));
    await landOther(other, id, update("refs/heads/x", A, B));
    expect(await landWrite(db, me, write)).toEqual({ outcome: "landed", version: 4n });
    expect(await landWrite(db, me, write)).toEqual({ outcome: "landed", version: 4n });
    const { refs, digest, digestKey } = await readFold(db, id);
    expect(textOf(refs)).toMatchObject({ [MAIN]: B, "refs/heads/mine": C, "refs/heads/x": B });
    expect(digest).toEqual(digestOf(digestKey, refs));
    expect(await versions(db, id)).toEqual([4n, 3n, 2n, 1n]);
  });

  it("lands when a ref was changed and changed back", async () => {
    const { me, other, id, write } = await written([update(MAIN, A, B)]);
    await landOther(other, id, update(MAIN, A, C));
    await landOther(other, id, update(MAIN, C, A));
    expect(await landWrite(db, me, write)).toEqual({ outcome: "landed", version: 4n });
  });

  it.each<[string, RefUpdate[], RefUpdate]>([
    ["has moved", [update(MAIN, A, B)], update(MAIN, A, C)],
    ["is gone", [update(MAIN, A, B)], update(MAIN, A, null)],
    ["has moved and was to go", [update(MAIN, A, null)], update(MAIN, A, C)],
    ["exists by now", [create("refs/heads/x", A)], create("refs/heads/x", B)],
    ["has become an alias", [update(MAIN, A, B)], update(MAIN, A, "ref: refs/heads/x")],
    ["of many has moved", [create("refs/heads/x", B), update(MAIN, A, B)], update(MAIN, A, C)],
  ])("is stale as a whole when a ref %s", async (_, updates, foreign) => {
    const { me, other, id, write } = await written(updates);
    await landOther(other, id, foreign);
    await expectStale(me, write);
  });

  it.each<[string, string, string]>([
    ["above it", "refs/heads/x/y", "refs/heads/x"],
    ["far above it", "refs/heads/x/y/z", "refs/heads/x"],
    ["below it", "refs/heads/x", "refs/heads/x/y"],
    ["far below it", "refs/heads/x", "refs/heads/x/y/z"],
    ["below it, with bytes that are no text", "refs/heads/\xff", "refs/heads/\xff/\xfe"],
  ])("is stale when a ref has come that lies %s", async (_, mine, foreign) => {
    const { me, other, id, write } = await written([create(mine, B)]);
    await landOther(other, id, create(foreign, A));
    await expectStale(me, write);
  });

  it("lands beside names that only begin alike", async () => {
    const { me, other, id, write } = await written([create("refs/heads/x", B), create("refs/heads/y/z", B)]);
    await landOther(
      other,
      id,
      ...["refs/heads/x-y", "refs/heads/x0", "refs/heads/xy/z", "refs/heads/y/zz", "refs/tags/x"].map((name) =>
        create(name, A),
      ),
    );
    expect(await landWrite(db, me, write)).toEqual({ outcome: "landed", version: 3n });
  });

  it("lands where it makes room by itself, unless something else has come there", async () => {
    const below = ["refs/heads/x/1", "refs/heads/x/2"];
    const before = below.map((name) => create(name, A));
    const updates = [...below.map((name) => update(name, A, null)), create("refs/heads/x", B)];
    const roomy = await written(updates, before);
    await landOther(roomy.other, roomy.id, create("refs/heads/y", A));
    expect(await landWrite(db, roomy.me, roomy.write)).toEqual({ outcome: "landed", version: 3n });
    const full = await written(updates, before);
    await landOther(full.other, full.id, create("refs/heads/x/3", A));
    await expectStale(full.me, full.write);
  });

  it("is stale when an alias through which it came leads elsewhere, or is gone", async () => {
    const [alias, toMain] = ["refs/heads/alias", `ref: ${MAIN}`] as const;
    for (const newValue of ["ref: refs/heads/x", null]) {
      const { me, other, id, write } = await written([update(MAIN, A, B)], [create(alias, toMain)]);
      const seen = new Map<RefName, RefValue>([[ref(alias), symbolicTo(ref(MAIN))]]);
      await landOther(other, id, update(alias, toMain, newValue));
      await expectStale(me, { ...write, seen });
    }
  });

  it.each<[string, (write: Write) => Partial<Write>]>([
    ["the log has with another digest", () => ({ baseDigest: randomBytes(32) })],
    ["the log never had", ({ baseDigest }) => ({ base: 7n, baseDigest })],
    ["must be the head", () => ({ baseDigest: undefined })],
  ])("is stale on a version that %s", async (_, other) => {
    const { me, other: device, id, write } = await written([update(MAIN, A, B)]);
    await landOther(device, id, create("refs/heads/x", A));
    await expectStale(me, { ...write, ...other(write) });
  });

  it("is stale on the head when the head has another digest", async () => {
    const { me, write } = await written([update(MAIN, A, B)]);
    await expectStale(me, { ...write, baseDigest: randomBytes(32) });
  });

  it("is stale once its base has been trimmed from the log", async () => {
    const { me, other, id, write } = await written([update(MAIN, A, B)]);
    await landOther(other, id, create("refs/heads/x", A));
    await queryOnce(db.work, "delete from lockstep.ref_log where repository_id = $1 and version = 1", [id]);
    await expectStale(me, write);
  });

  it("is staged with the values of the head", async () => {
    const { me, other, id, write } = await written([update(MAIN, A, B)]);
    await landOther(other, id, update(MAIN, A, C));
    const names = [ref(MAIN)];
    const staged = await stageWrite(db, me, { ...write, writeId: crypto.randomUUID(), names });
    expect(staged).toMatchObject({ outcome: "staged", head: 2n, values: [C] });
  });
});

describe("a repository whose writes land one at a time", () => {
  it("takes a write on the head only, when it is staged and when it is decided", async () => {
    const { me, other, id, write } = await written([update(MAIN, A, B)]);
    await queryOnce(db.work, "update lockstep.repository set serial = true where id = $1", [id]);
    await landOther(other, id, create("refs/heads/x", A));
    await expectStale(me, write);
    const again = { ...write, writeId: crypto.randomUUID(), names: [ref(MAIN)] };
    expect(await stageWrite(db, me, again)).toEqual({ outcome: "stale" });
    const { digest } = await readFold(db, id);
    const onHead = { ...(await stage(db, me, id, 2n, write.updates)), baseDigest: digest };
    expect(await landWrite(db, me, onHead)).toEqual({ outcome: "landed", version: 3n });
  });
});

describe("the sum of two digests", () => {
  it("is the same in the database as here", async () => {
    const full = Buffer.alloc(32, 0xff);
    const one = Buffer.from("01".padStart(64, "0"), "hex");
    const random = Array.from({ length: 20 }, () => [randomBytes(32), randomBytes(32)] as const);
    for (const [a, b] of [[full, one], [full, full], [EMPTY_DIGEST, full], [one, EMPTY_DIGEST], ...random] as const) {
      const { sum } = await queryOnceRow<{ sum: Buffer }>(db.work, "select lockstep.add_digests($1, $2) as sum", [
        a,
        b,
      ]);
      expect(sum.toString("hex")).toBe(addDigests(a, b).toString("hex"));
    }
  });
});
