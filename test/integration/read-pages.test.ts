// A repository that is too large for one statement is read in pages, and what is read is the same.
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { digestOf } from "../../src/digest.ts";
import type { Incarnation, Refs, RefValue, Version } from "../../src/domain.ts";
import { queryOnce } from "../../src/store/database/database.ts";
import { readFold } from "../../src/store/log/fold.ts";
import { type ChangesSince, readChanges } from "../../src/store/log/ref-log.ts";
import { landWrite } from "../../src/store/write/writes.ts";
import { db, makeDatabaseOfFile } from "../support/file-database.ts";
import { ref, refsFrom } from "../support/refs.ts";
import { incarnation, repository, stage } from "../support/store-rows.ts";

const [A, B, C] = ["a", "b", "c"].map((digit) => digit.repeat(40)) as [string, string, string];
const PAGES = [1, 2, 3, 5, 7, 1000];

let me: Incarnation;
let other: Incarnation;
let id: string;
makeDatabaseOfFile();
beforeAll(async () => {
  [me, other] = [await incarnation(db), await incarnation(db)];
});
beforeEach(async () => {
  ({ id } = await repository(db, me, other));
});

async function land(wanted: Readonly<Record<string, string | null>>, by = me): Promise<void> {
  const { head, refs } = await readFold(db, id);
  const updates = Object.entries(wanted).map(([name, value]) => ({
    name: ref(name),
    oldValue: refs.get(ref(name)) ?? null,
    newValue: value === null ? null : (refsFrom({ [name]: value }).get(ref(name)) as RefValue),
  }));
  expect(await landWrite(db, by, await stage(db, by, id, head, updates))).toMatchObject({ outcome: "landed" });
}

/** Without `beside`, which is read in one statement only. */
function inOrder({ changes, writers, beside: _, ...rest }: ChangesSince) {
  const sorted = changes?.toSorted((a, b) => (String(a.name) < String(b.name) ? -1 : 1)) ?? null;
  return { ...rest, writers: [...writers].sort(), changes: sorted };
}

async function landSome(): Promise<void> {
  await land({ "refs/heads/a": A, "refs/heads/b": A, "refs/heads/caf\xe9": A });
  await land({ "refs/heads/a": B, "refs/heads/b": null, "refs/tags/v1": C }, other);
  await land({ "refs/heads/b": C, "refs/heads/a": A });
  await land({});
  await land({ "refs/heads/caf\xe9": C }, other);
}

describe("changes that are read in pages", () => {
  it("are the same as in one statement, from every version on", async () => {
    await landSome();
    for (let since = 0n; since <= 5n; since += 1n) {
      const whole = inOrder(await readChanges(db, id, since));
      for (const page of PAGES) expect([page, inOrder(await readChanges(db, id, since, page))]).toEqual([page, whole]);
    }
  });

  it("are none where the log has a gap, wherever it is", async () => {
    await landSome();
    await queryOnce(db.work, "delete from lockstep.ref_log where repository_id = $1 and version = 3", [id]);
    for (const page of PAGES) {
      for (const since of [0n, 1n, 2n]) expect((await readChanges(db, id, since, page)).changes).toBeNull();
      for (const since of [3n, 4n]) expect((await readChanges(db, id, since, page)).changes).not.toBeNull();
    }
  });

  it("tell of an operator's version on whichever page it is", async () => {
    await landSome();
    await queryOnce(db.work, "update lockstep.ref_log set settles = true where repository_id = $1 and version = 4", [
      id,
    ]);
    for (const page of PAGES) {
      expect((await readChanges(db, id, 1n, page)).settled).toBe(true);
      expect((await readChanges(db, id, 4n, page)).settled).toBe(false);
    }
  });
});

describe("a fold that is read in pages", () => {
  it("is the same as in one statement", async () => {
    await landSome();
    const whole = await readFold(db, id);
    for (const page of PAGES) expect(await readFold(db, id, page)).toEqual(whole);
  });

  it("is not found where there is none", async () => {
    const none = "00000000-0000-4000-8000-000000000000";
    await expect(readFold(db, none, 1)).rejects.toMatchObject({ code: "REPOSITORY_NOT_FOUND" });
  });
});

it("pages are of one moment while others write", async () => {
  await landSome();
  const start = await readFold(db, id);
  let writing = true;
  const heads = new Set<Version>();
  const writer = (async () => {
    // On a busy machine all thirty may land during the first page.
    for (let count = 0; count < 30 || heads.size < 2; count += 1)
      await land({ "refs/heads/a": [B, A][count % 2] as string, [`refs/heads/x${count}`]: C });
    writing = false;
  })();
  const reader = async (): Promise<void> => {
    let mine: Refs = start.refs;
    let since = start.head;
    while (writing) {
      const { refs, digest, digestKey } = await readFold(db, id, 2);
      expect(digestOf(digestKey, refs)).toEqual(digest);
      const found = await readChanges(db, id, since, 2);
      const after = new Map(mine);
      for (const { name, oldValue, newValue } of found.changes ?? []) {
        expect(mine.get(name) ?? null).toBe(oldValue);
        newValue === null ? after.delete(name) : after.set(name, newValue);
      }
      expect(digestOf(digestKey, after)).toEqual(found.digest);
      [mine, since] = [after, found.head];
      heads.add(since);
    }
  };
  await Promise.all([writer, reader()]);
  expect(heads.size).toBeGreaterThan(1);
});
