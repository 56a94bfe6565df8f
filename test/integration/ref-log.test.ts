import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { digestAfter, digestOf } from "../../src/digest.ts";
import { type Incarnation, type Refs, type RefUpdate, toLatin1, type Version } from "../../src/domain.ts";
import { queryOnce } from "../../src/store/database/database.ts";
import { readFold } from "../../src/store/log/fold.ts";
import { readLog } from "../../src/store/log/list-log.ts";
import { type ChangesSince, readChanges, readDigest } from "../../src/store/log/ref-log.ts";
import { readUnchangedTips } from "../../src/store/log/unchanged-tips.ts";
import { landWrite, stageWrite } from "../../src/store/write/writes.ts";
import { db, makeDatabaseOfFile } from "../support/file-database.ts";
import { planFrom, ref, refsFrom } from "../support/refs.ts";
import { HERE, incarnation, repository } from "../support/store-rows.ts";

const MAIN = "refs/heads/main";
const AT_FIRST = { HEAD: "ref: refs/heads/main" };
const [A, B, C] = ["a".repeat(40), "b".repeat(40), "c".repeat(40)] as const;

let me: Incarnation;
let other: Incarnation;
let id: string;
makeDatabaseOfFile();
beforeAll(async () => {
  [me, other] = [await incarnation(db, { device: "mine" }), await incarnation(db, { device: "other" })];
});
beforeEach(async () => {
  ({ id } = await repository(db, me, other));
});

/** Lands what the refs are to hold, null for gone, and returns the id of the write. */
async function land(wanted: Readonly<Record<string, string | null>>, by = me, repositoryId = id): Promise<string> {
  const { head: base, refs } = await readFold(db, repositoryId);
  const updates = [...planFrom(Object.entries(wanted))].map(
    ([name, newValue]): RefUpdate => ({ name, oldValue: refs.get(name) ?? null, newValue }),
  );
  const request = { writeId: randomUUID(), repositoryId, base };
  const names = updates.map(({ name }) => name);
  const staged = await stageWrite(db, by, { ...request, author: `author at ${base}`, names });
  if (staged.outcome !== "staged") throw new Error(`the write is ${staged.outcome}`);
  expect(staged.values).toEqual(updates.map(({ oldValue }) => oldValue));
  const digest = digestAfter(staged.digestKey, staged.digest, updates);
  expect(await landWrite(db, by, { ...request, digest, updates })).toEqual({ outcome: "landed", version: base + 1n });
  return request.writeId;
}

/** Removes log entries, as trimming does. */
async function trim(...versions: Version[]): Promise<void> {
  await queryOnce(db.work, "delete from lockstep.ref_log where repository_id = $1 and version = any($2::bigint[])", [
    id,
    versions,
  ]);
}

const byName = ({ changes }: ChangesSince) => new Map(changes!.map(({ name, ...change }) => [toLatin1(name), change]));

/** The refs that a replica has after it applied the changes. */
function applied(refs: Refs, { changes }: ChangesSince): Refs {
  const after = new Map(refs);
  for (const { name, oldValue, newValue } of changes!) {
    expect(refs.get(name) ?? null).toBe(oldValue);
    if (newValue === null) after.delete(name);
    else after.set(name, newValue);
  }
  return after;
}

describe("readChanges", () => {
  it("has of each touched ref the first old value and the last new value", async () => {
    await land({ [MAIN]: A, "refs/heads/old": A });
    await land({ [MAIN]: B, "refs/heads/new": B });
    await land({ "refs/heads/new": C, "refs/heads/old": null });
    const changes = byName(await readChanges(db, id, 1n));
    expect(changes).toEqual(
      new Map([
        [MAIN, { oldValue: A, newValue: B }],
        ["refs/heads/new", { oldValue: null, newValue: C }],
        ["refs/heads/old", { oldValue: A, newValue: null }],
      ]),
    );
  });

  it("has refs that ended where they began, too", async () => {
    await land({ [MAIN]: A });
    await land({ [MAIN]: B, "refs/heads/brief": B });
    await land({ [MAIN]: A, "refs/heads/brief": null });
    expect(byName(await readChanges(db, id, 1n))).toEqual(
      new Map([
        [MAIN, { oldValue: A, newValue: A }],
        ["refs/heads/brief", { oldValue: null, newValue: null }],
      ]),
    );
  });

  it("has the head with its digest, and the devices that wrote", async () => {
    await land({ [MAIN]: A });
    await land({ [MAIN]: B }, other);
    const { digest } = await readFold(db, id);
    const all = await readChanges(db, id, 0n);
    expect({ ...all, writers: [...all.writers].sort() }).toMatchObject({
      head: 2n,
      digest,
      writers: ["mine", "other"],
    });
    expect(await readChanges(db, id, 1n)).toMatchObject({ head: 2n, digest, writers: ["other"] });
  });

  it("is empty at the head and beyond it", async () => {
    await land({ [MAIN]: A });
    for (const since of [1n, 2n])
      expect(await readChanges(db, id, since)).toMatchObject({ head: 1n, changes: [], writers: [] });
  });

  it("has a version without changes for a write that changed no ref", async () => {
    await land({});
    expect(await readChanges(db, id, 0n)).toMatchObject({ head: 1n, changes: [], writers: ["mine"] });
  });

  it.each([
    ["at the beginning", 1n],
    ["in the middle", 2n],
    ["at the end", 3n],
  ])("has null instead of changes when the log has a gap %s, and all of them from behind it", async (_, missing) => {
    for (const value of [A, B, C]) await land({ [MAIN]: value });
    await trim(missing);
    for (let since = 0n; since <= 3n; since += 1n) {
      const { head, changes } = await readChanges(db, id, since);
      expect(head).toBe(3n);
      if (since < missing) expect(changes).toBeNull();
      else expect(changes).toHaveLength(since < 3n ? 1 : 0);
    }
  });

  it("is of one moment while others write", async () => {
    const { digestKey, refs } = await readFold(db, id);
    let writing = true;
    const writer = (async () => {
      for (let count = 0; count < 30; count += 1)
        await land({ [MAIN]: [A, B][count % 2]!, [`refs/heads/${count}`]: A });
      writing = false;
    })();
    const heads = new Set<Version>();
    const reader = async (): Promise<void> => {
      let mine = refs;
      let since = 0n;
      while (writing) {
        const changes = await readChanges(db, id, since);
        mine = applied(mine, changes);
        since = changes.head;
        heads.add(since);
        expect(digestOf(digestKey, mine)).toEqual(changes.digest);
      }
    };
    await Promise.all([writer, reader(), reader()]);
    expect(heads.size).toBeGreaterThan(1);
  });
});

describe("the log", () => {
  it("adds up to the fold, and each digest is that of the refs at its version", async () => {
    const name = fc.constantFrom(
      MAIN,
      "HEAD",
      "refs/heads/\xff\xfe",
      "refs/tags/v1",
      "refs/heads/a",
      "refs/heads/a\xcc\x88",
    );
    const value = fc.option(fc.constantFrom(A, B, C, "ref: refs/heads/a", "ref: refs/heads/\xff"), { nil: null });
    const write = fc.dictionary(name, value, { maxKeys: 4 });
    const property = fc.asyncProperty(fc.array(write, { minLength: 1, maxLength: 6 }), async (writes) => {
      const { id: repositoryId } = await repository(db, me, other);
      const { digestKey } = await readFold(db, repositoryId);
      const states: Refs[] = [refsFrom(AT_FIRST)];
      for (const wanted of writes) {
        const before = states.at(-1)!;
        // What changes nothing is left out, as a push does.
        const changing = Object.entries(wanted).filter(([name, to]) => (before.get(ref(name)) ?? null) !== to);
        await land(Object.fromEntries(changing), me, repositoryId);
        const after = new Map(before);
        for (const [name, to] of planFrom(changing)) to === null ? after.delete(name) : after.set(name, to);
        states.push(after);
      }
      const head = states.at(-1)!;
      const fold = await readFold(db, repositoryId);
      expect(fold.refs).toEqual(head);
      for (const [version, refs] of states.entries()) {
        if (version > 0) expect(await readDigest(db, repositoryId, BigInt(version))).toEqual(digestOf(digestKey, refs));
        expect(applied(refs, await readChanges(db, repositoryId, BigInt(version)))).toEqual(head);
      }
    });
    await fc.assert(property, { numRuns: 15 });
  });

  it("is read newest first, page by page", async () => {
    const writes: string[] = [];
    for (const value of [A, B, C, A, B]) writes.unshift(await land({ [MAIN]: value }));
    const pages = [await readLog(db, id, null, 2), await readLog(db, id, 4n, 2), await readLog(db, id, 2n, 2)];
    expect(pages.map((page) => page.map(({ version }) => version))).toEqual([[5n, 4n], [3n, 2n], [1n]]);
    expect(pages.flat().map(({ writeId }) => writeId)).toEqual(writes);
    expect(pages[0]![0]).toEqual({
      version: 5n,
      writeId: writes[0],
      device: "mine",
      author: "author at 4",
      landedAt: expect.any(Date),
      updates: [{ name: MAIN, oldValue: A, newValue: B }],
      more: 0,
    });
    expect(await readLog(db, id, 1n, 2)).toEqual([]);
  });

  it("shows a hundred updates of an entry in the order of their names, and counts the others", async () => {
    const names = Array.from({ length: 103 }, (_, index) => `refs/heads/${String(index).padStart(3, "0")}`);
    await land(Object.fromEntries([...names].reverse().map((name) => [name, A])));
    await land({});
    const [empty, full] = await readLog(db, id, null, 10);
    expect(full!.updates.map(({ name }) => name)).toEqual(names.slice(0, 100));
    expect({ full: full!.more, empty: empty!.more, updates: empty!.updates }).toEqual({
      full: 3,
      empty: 0,
      updates: [],
    });
  });

  it("has only the entries of its own repository", async () => {
    const { id: neighbour } = await repository(db, me, other);
    await land({ [MAIN]: A });
    expect(await readLog(db, neighbour, null, 10)).toEqual([]);
    expect(await readChanges(db, neighbour, 0n)).toMatchObject({ head: 0n, changes: [] });
    expect((await readFold(db, neighbour)).refs).toEqual(refsFrom(AT_FIRST));
  });
});

describe("readFold", () => {
  it("has head, digest, key and refs", async () => {
    const { digestKey, digest, ...fold } = await readFold(db, id);
    expect(fold).toEqual({ head: 0n, replicated: false, timeline: HERE, refs: refsFrom(AT_FIRST) });
    expect(digest).toEqual(digestOf(digestKey, fold.refs));
  });

  it("is whole even when the log has been trimmed", async () => {
    await land({ [MAIN]: A });
    await land({ "refs/tags/v1": B });
    await trim(1n, 2n);
    const refs = refsFrom({ ...AT_FIRST, [MAIN]: A, "refs/tags/v1": B });
    expect(await readFold(db, id)).toMatchObject({ head: 2n, refs });
  });

  it("has no refs when there are none", async () => {
    await land({ HEAD: null });
    expect((await readFold(db, id)).refs).toEqual(new Map());
  });
});

describe("readUnchangedTips", () => {
  beforeEach(async () => {
    const others = { "refs/tags/v1": C, "refs/headsx": C, "refs/heads0": C, "refs/notes/commits": C };
    await land({ [MAIN]: A, "refs/heads/a": B, ...others });
    await land({ [MAIN]: B, "refs/heads/new": C });
    await land({ [MAIN]: A });
  });

  it("has the branches that no write after that version touched", async () => {
    expect(await readUnchangedTips(db, id, 1n, 10)).toEqual([B]);
    expect((await readUnchangedTips(db, id, 2n, 10)).sort()).toEqual([B, C]);
    expect((await readUnchangedTips(db, id, 3n, 10)).sort()).toEqual([A, B, C]);
    expect(await readUnchangedTips(db, id, 0n, 10)).toEqual([]);
  });

  it("returns at most as many tips as it was asked for", async () => {
    expect(await readUnchangedTips(db, id, 3n, 2)).toHaveLength(2);
  });
});

describe("readDigest", () => {
  it("is undefined for a version that the log no longer or not yet holds, but never for the head", async () => {
    const { digest: atStart } = await readFold(db, id);
    expect(await readDigest(db, id, 0n)).toEqual(atStart);
    await land({ [MAIN]: A });
    await land({ [MAIN]: B });
    await trim(1n, 2n);
    expect(await readDigest(db, id, 1n)).toBeUndefined();
    expect(await readDigest(db, id, 3n)).toBeUndefined();
    expect(await readDigest(db, id, 2n)).toEqual((await readFold(db, id)).digest);
  });
});

describe("a repository that was removed", () => {
  it("is not found", async () => {
    await land({ [MAIN]: A });
    await queryOnce(db.work, "delete from lockstep.repository where id = $1", [id]);
    const notFound = expect.objectContaining({ code: "REPOSITORY_NOT_FOUND" });
    await expect(readChanges(db, id, 0n)).rejects.toEqual(notFound);
    await expect(readFold(db, id)).rejects.toEqual(notFound);
    await expect(readDigest(db, id, 1n)).rejects.toEqual(notFound);
  });

  it("leaves no log behind", async () => {
    await land({ [MAIN]: A });
    await queryOnce(db.work, "delete from lockstep.repository where id = $1", [id]);
    expect(await readLog(db, id, null, 10)).toEqual([]);
    expect(await readUnchangedTips(db, id, 0n, 10)).toEqual([]);
    for (const table of ["ref_log", "ref_log_update", "repository_ref", "replica", "write"])
      expect(await queryOnce(db.work, `select 1 from lockstep.${table} where repository_id = $1`, [id])).toEqual([]);
  });
});
