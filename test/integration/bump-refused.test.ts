// The bump refuses a write, and changes nothing.
import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { EMPTY_DIGEST } from "../../src/digest.ts";
import type { Incarnation, RefUpdate } from "../../src/domain.ts";
import { queryOnce } from "../../src/store/database/database.ts";
import { landWrite, settleWrite } from "../../src/store/write/writes.ts";
import { db, elsewhere, makeDatabaseOfFile } from "../support/file-database.ts";
import { update } from "../support/refs.ts";
import { contents, create, incarnation, repository, stage } from "../support/store-rows.ts";

const MAIN = "refs/heads/main";
const A = "a".repeat(40);
const B = "b".repeat(40);
const C = "c".repeat(40);

makeDatabaseOfFile();

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

  it("a refused bump says that its repository is gone", async () => {
    const me = await incarnation(elsewhere);
    const { id } = await repository(db, me);
    const request = await stage(db, me, id, 0n, [create(MAIN, A)]);
    await queryOnce(db.work, "delete from lockstep.repository where id = $1", [id]);
    expect(await landWrite(db, me, request)).toEqual({ outcome: "missing" });
    expect(await settleWrite(db, me, request, "gone")).toEqual({ status: "dropped", reason: "gone" });
  });
});
