// The walk over few new objects through a git that runs already (src/git/reading/).
import { rename } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isConnected } from "../../src/git/objects/connectivity.ts";
import { MAIN, PERSON, readers, withReader } from "../support/short-walk-reader.ts";

const NOBODY_HAS = "1234567890123456789012345678901234567890";

describe("a short walk", () => {
  it.each(["sha1", "sha256"])("finds that a commit, a merge, and a tag of it are whole (%s)", async (format) => {
    await using repo = await withReader({ format });
    const { blob, commitOf, tree, hash, base, inner } = repo;
    const changed = await tree([
      `100644 blob ${await blob("changed")}\tREADME`,
      `040000 tree ${inner}\told`,
      `040000 tree ${await tree([`120000 blob ${await blob("README")}\tlink`])}\tsrc`,
      // The commit of a submodule is in another repository.
      `160000 commit ${NOBODY_HAS.padEnd(base.length, "0")}\tsub`,
    ]);
    const one = await commitOf(changed, [base]);
    const two = await commitOf(changed, [base, one], "a merge");
    const tag = await hash("tag", `object ${two}\ntype commit\ntag v1\ntagger ${PERSON}\n\nv1\n`);
    expect(await repo.isWhole([one, tag])).toBe(true);
    expect(await repo.isWhole([base])).toBe(true);
    expect(await repo.isWhole([base], [base, MAIN])).toBe(true);
    expect(await readers(repo)).toHaveLength(1);
  });

  it("does not say so when any one of the new objects is missing", async () => {
    await using repo = await withReader();
    const { blob, commitOf, tree, hash, base } = repo;
    const deepBlob = await blob("deep");
    const deepTree = await tree([`100755 blob ${deepBlob}\tdeep`]);
    const root = await tree([`040000 tree ${deepTree}\tsrc`]);
    const one = await commitOf(root, [base]);
    const two = await commitOf(root, [one]);
    const tag = await hash("tag", `object ${two}\ntype commit\ntag v1\ntagger ${PERSON}\n\nv1\n`);
    const all = { deepBlob, deepTree, root, one, two, tag };
    for (const [name, id] of Object.entries(all)) {
      repo.kept.end();
      const path = join(repo.dir, "objects", id.slice(0, 2), id.slice(2));
      await rename(path, join(repo.dir, "kept"));
      expect([name, await repo.isWhole([tag])]).toEqual([name, false]);
      await rename(join(repo.dir, "kept"), path);
      expect([name, await repo.isWhole([tag])]).toEqual([name, true]);
    }
  });

  it("does not say so of an end that is missing, and of an object that is not of its type", async () => {
    await using repo = await withReader();
    const { blob, commitOf, tree, base, root } = repo;
    const one = await commitOf(root, [base]);
    expect(await repo.isWhole([one], ["refs/heads/none"])).toBe(false);
    expect(await repo.isWhole([one], [NOBODY_HAS])).toBe(false);
    const text = await blob("text");
    for (const odd of [
      await commitOf(text, [base]),
      await commitOf(root, [text]),
      await commitOf(await repo.hash("tree", "not a tree"), [base]),
      await commitOf(await repo.anyTree([["40000", "src", await blob("other")]]), [base]),
      await commitOf(await repo.anyTree([["100644", "README", await tree([])]]), [base]),
      await repo.hash("commit", "no commit"),
      await repo.hash("tag", `object ${text}\ntype commit\ntag v1\n\n`),
    ])
      expect(await repo.isWhole([odd])).toBe(false);
  });

  it("looks at each of two entries of one name", async () => {
    await using repo = await withReader();
    const here = await repo.blob("here");
    for (const [ids, whole] of [
      [[here, here], true],
      [[here, NOBODY_HAS], false],
      [[NOBODY_HAS, here], false],
    ] as const) {
      const odd = await repo.anyTree(ids.map((id) => ["100644", "same", id] as const));
      expect(await repo.isWhole([await repo.commitOf(odd, [repo.base])])).toBe(whole);
    }
  });

  it("leaves a long walk, and a large object, to rev-list, and serves others afterwards", async () => {
    await using repo = await withReader();
    const { blob, commitOf, tree, base, root } = repo;
    let tip = base;
    for (let count = 0; count < 30; count += 1) tip = await commitOf(root, [tip], `${count}`);
    expect(await repo.isWhole([tip])).toBe(true);
    const commits = Array.from(
      { length: 600 },
      (_, index) => `commit refs/heads/long\ncommitter ${PERSON}\ndata 1\n${index % 10}\n`,
    );
    await repo.git(["fast-import", "--quiet"], `${commits[0]}from ${base}\n${commits.slice(1).join("")}`);
    expect(await repo.isWhole([await repo.git(["rev-parse", "long"])])).toBe(false);
    expect(await repo.isWhole([await repo.git(["rev-parse", "long~400"])])).toBe(true);
    const large = await blob("x".repeat(2 * 1024 * 1024));
    // A large file is only looked for. A message of that size would have to be read.
    expect(await repo.isWhole([await commitOf(await tree([`100644 blob ${large}\tlarge`]), [base])])).toBe(true);
    expect(await repo.isWhole([await commitOf(root, [base], "m".repeat(2 * 1024 * 1024))])).toBe(false);
    expect(await repo.isWhole([tip])).toBe(true);
  });

  it("serves many at once, and reads refs as they are then", async () => {
    await using repo = await withReader();
    const tips = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => await repo.commitOf(repo.root, [repo.base], `${index}`)),
    );
    const half = await repo.commitOf(repo.root, [NOBODY_HAS]);
    const asked = tips.flatMap((tip) => [repo.isWhole([tip]), repo.isWhole([half, tip])]);
    expect(await Promise.all(asked)).toEqual(tips.flatMap(() => [true, false]));
    await repo.git(["update-ref", MAIN, tips[0]!]);
    expect((await repo.reader().read([MAIN]))[0]?.id).toBe(tips[0]);
    expect(await readers(repo)).toHaveLength(1);
  });

  it("never finds whole what rev-list does not, whichever objects are missing", async () => {
    await using repo = await withReader();
    const { blob, commitOf, tree, base, inner } = repo;
    const blobs = [...(await Promise.all(["a", "b", "c"].map(blob))), NOBODY_HAS];
    const entry = fc.tuple(fc.constantFrom("f", "g", "src"), fc.nat(3));
    const shape = fc.record({
      top: fc.array(entry, { maxLength: 3 }),
      below: fc.array(entry, { maxLength: 3 }),
      keepsInner: fc.boolean(),
      parent: fc.nat(4),
      other: fc.option(fc.nat(4)),
    });
    const entries = (some: [string, number][]) => [
      ...new Map(some.map(([name, index]) => [name, `100644 blob ${blobs[index]}\t${name}`])).values(),
    ];
    await fc.assert(
      fc.asyncProperty(fc.array(shape, { minLength: 1, maxLength: 5 }), fc.nat(20), async (shapes, lost) => {
        const commits = [base];
        const made: string[] = [];
        for (const { top, below, keepsInner, parent, other } of shapes) {
          const lower = keepsInner ? inner : await tree(entries(below));
          const root = await tree([...entries(top.filter(([name]) => name !== "src")), `040000 tree ${lower}\tsrc`]);
          const parents = [parent, ...(other === null ? [] : [other])].map((index) => commits[index % commits.length]!);
          const commit = await commitOf(root, [...new Set(parents)], `${made.length}`);
          commits.push(commit);
          made.push(...(keepsInner ? [] : [lower]), root, commit);
        }
        const tip = commits.at(-1)!;
        const gone = made[lost];
        if (gone !== undefined && !(await repo.git(["rev-list", "--objects", MAIN])).includes(gone))
          await repo.lose(gone);
        repo.kept.end();
        const { signal } = new AbortController();
        const expected = await isConnected(repo.context, repo.dir, [tip], [MAIN], { signal });
        expect(await repo.isWhole([tip])).toBe(expected);
      }),
      { numRuns: 60 },
    );
  });
});
