// The log of a repository on two devices, for tests of the store.
import { randomUUID } from "node:crypto";
import { beforeAll, beforeEach, expect } from "vitest";
import { differenceOf } from "../../src/digest.ts";
import { type Incarnation, type Refs, type RefUpdate, toLatin1, type Version } from "../../src/domain.ts";
import { queryOnce } from "../../src/store/database/database.ts";
import { readFold } from "../../src/store/log/fold.ts";
import type { ChangesSince } from "../../src/store/log/ref-log.ts";
import { landWrite, stageWrite } from "../../src/store/write/writes.ts";
import { db, makeDatabaseOfFile } from "./file-database.ts";
import { planFrom } from "./refs.ts";
import { incarnation, repository } from "./store-rows.ts";

export const MAIN = "refs/heads/main";

export const AT_FIRST = { HEAD: "ref: refs/heads/main" };

export const [A, B, C] = ["a".repeat(40), "b".repeat(40), "c".repeat(40)] as const;

// `makeLog` sets these before each test of its file.
export let me: Incarnation;

export let other: Incarnation;

export let id: string;

/** Makes the database of the calling file, and before each test a repository on the devices `mine` and `other`. */
export function makeLog(): void {
  makeDatabaseOfFile();
  beforeAll(async () => {
    [me, other] = [await incarnation(db, { device: "mine" }), await incarnation(db, { device: "other" })];
  });
  beforeEach(async () => {
    ({ id } = await repository(db, me, other));
  });
}

/** Lands what the refs are to hold, null for gone, and returns the id of the write. */
export async function land(
  wanted: Readonly<Record<string, string | null>>,
  by = me,
  repositoryId = id,
): Promise<string> {
  const { head: base, refs } = await readFold(db, repositoryId);
  const updates = [...planFrom(Object.entries(wanted))].map(
    ([name, newValue]): RefUpdate => ({ name, oldValue: refs.get(name) ?? null, newValue }),
  );
  const request = { writeId: randomUUID(), repositoryId, base };
  const names = updates.map(({ name }) => name);
  const staged = await stageWrite(db, by, { ...request, author: `author at ${base}`, names });
  if (staged.outcome !== "staged") throw new Error(`the write is ${staged.outcome}`);
  expect(staged.values).toEqual(updates.map(({ oldValue }) => oldValue));
  const difference = differenceOf(staged.digestKey, updates);
  expect(await landWrite(db, by, { ...request, difference, updates })).toEqual({
    outcome: "landed",
    version: base + 1n,
  });
  return request.writeId;
}

/** Removes log entries, as trimming does. */
export async function trim(...versions: Version[]): Promise<void> {
  await queryOnce(db.work, "delete from lockstep.ref_log where repository_id = $1 and version = any($2::bigint[])", [
    id,
    versions,
  ]);
}

export const byName = ({ changes }: ChangesSince) =>
  new Map(changes!.map(({ name, ...change }) => [toLatin1(name), change]));

/** The refs that a replica has after it applied the changes. */
export function applied(refs: Refs, { changes }: ChangesSince): Refs {
  const after = new Map(refs);
  for (const { name, oldValue, newValue } of changes!) {
    expect(refs.get(name) ?? null).toBe(oldValue);
    if (newValue === null) after.delete(name);
    else after.set(name, newValue);
  }
  return after;
}
