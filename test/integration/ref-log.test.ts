import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { digestOf } from "../../src/digest.ts";
import type { Refs } from "../../src/domain.ts";
import { queryOnce } from "../../src/store/database/database.ts";
import { readFold } from "../../src/store/log/fold.ts";
import { readLog } from "../../src/store/log/list-log.ts";
import { readChanges, readDigest } from "../../src/store/log/ref-log.ts";
import { readUnchangedTips } from "../../src/store/log/unchanged-tips.ts";
import { db } from "../support/file-database.ts";
import { A, AT_FIRST, applied, B, C, id, land, MAIN, makeLog, me, other, trim } from "../support/log-rows.ts";
import { planFrom, ref, refsFrom } from "../support/refs.ts";
import { HERE, repository } from "../support/store-rows.ts";

makeLog();

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
  it("the log of a repository that was removed is not found", async () => {
    await land({ [MAIN]: A });
    await queryOnce(db.work, "delete from lockstep.repository where id = $1", [id]);
    const notFound = expect.objectContaining({ code: "REPOSITORY_NOT_FOUND" });
    await expect(readChanges(db, id, 0n)).rejects.toEqual(notFound);
    await expect(readFold(db, id)).rejects.toEqual(notFound);
    await expect(readDigest(db, id, 1n)).rejects.toEqual(notFound);
  });

  it("a repository that was removed leaves no log behind", async () => {
    await land({ [MAIN]: A });
    await queryOnce(db.work, "delete from lockstep.repository where id = $1", [id]);
    expect(await readLog(db, id, null, 10)).toEqual([]);
    expect(await readUnchangedTips(db, id, 0n, 10)).toEqual([]);
    for (const table of ["ref_log", "ref_log_update", "repository_ref", "replica", "write"])
      expect(await queryOnce(db.work, `select 1 from lockstep.${table} where repository_id = $1`, [id])).toEqual([]);
  });
});
