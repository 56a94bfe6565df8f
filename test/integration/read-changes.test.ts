import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/digest.ts";
import type { Version } from "../../src/domain.ts";
import { readFold } from "../../src/store/log/fold.ts";
import { readChanges } from "../../src/store/log/ref-log.ts";
import { db } from "../support/file-database.ts";
import { A, applied, B, byName, C, id, land, MAIN, makeLog, other, trim } from "../support/log-rows.ts";

makeLog();

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
