// The answer to a decision of several pushes is lost, late or never comes.
import { randomUUID } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { landTogether } from "../../src/store/write/land-together.ts";
import { APP, pushedOnce } from "../support/pushed-once.ts";
import { allAtOnce, create, decisionsOf, landed } from "../support/pushes-together.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";
import { isBumpTogether, isSettle, log, writes } from "../support/write-rows.ts";

describe("the answer to a decision of several pushes", () => {
  it("is lost: the row of each is asked, and says landed", async () => {
    await using cluster = await TestCluster.make();
    const { a, ids } = await pushedOnce(cluster);
    a.onStatement = async (text, run) => {
      const result = await run();
      if (isBumpTogether(text)) throw new Error("Connection terminated unexpectedly");
      return result;
    };
    const asked = await decisionsOf(a, async () => {
      expect(await allAtOnce(a, [create(a, "x", ids[0]), create(a, "y", ids[1])])).toEqual(landed("x", "y"));
    });
    expect(asked).toEqual(["bump_together", "settle_write", "settle_write"]);
    expect((await writes(cluster)).map(({ status }) => status)).toEqual(["landed", "landed", "landed"]);
    expect(a.replica(APP).applied).toBe(3n);
    await a.expectInLockstep(APP);
  });

  it("does not come: all are dropped and land alone, and the late decision lands none", async () => {
    await using cluster = await TestCluster.make();
    const { a, ids } = await pushedOnce(cluster);
    a.onStatement = async (text, run) => {
      if (isBumpTogether(text)) throw new Error("Connection terminated unexpectedly");
      return await run();
    };
    expect(await allAtOnce(a, [create(a, "x", ids[0]), create(a, "y", ids[1])])).toEqual(landed("x", "y"));
    const dropped = await cluster.sql<{ id: string }>("select id from lockstep.write where status = 'dropped'");
    expect(dropped).toHaveLength(2);
    const { db, me } = a.context;
    const { id: repositoryId, applied: base, appliedDigest } = a.replica(APP);
    a.onStatement = (_, run) => run();
    const late = [randomUUID(), dropped[0]!.id].map((writeId, index) => ({
      writeId,
      repositoryId,
      author: "ada",
      difference: Buffer.alloc(32),
      updates: [change(`late${index}`, null, ids[1])],
    }));
    const request = { repositoryId, base: base!, baseDigest: Buffer.from(appliedDigest, "hex"), writes: late };
    expect(await landTogether(db, me, request)).toBeUndefined();
    expect(await log(cluster)).toHaveLength(3);
    await a.expectInLockstep(APP);
  });

  it("stays unknown while the database is away: each is told so with the id of its own write", async () => {
    await using cluster = await TestCluster.make();
    const a = await cluster.start("repo001", { inDoubtMs: 0 });
    await cluster.create(APP, [a]);
    const ids = await a.history(APP);
    await a.push(APP, [change("main", null, ids[0])]);
    a.onStatement = async (text, run) => {
      if (isBumpTogether(text) || isSettle(text)) throw new Error("Connection terminated unexpectedly");
      return await run();
    };
    const told = await allAtOnce(a, [create(a, "x", ids[0]), create(a, "y", ids[1])]);
    expect(told).toMatchObject([{ code: "OUTCOME_UNKNOWN" }, { code: "OUTCOME_UNKNOWN" }]);
    const named = told.map((error) => (error as { details: { write: string } }).details.write);
    expect(new Set(named).size).toBe(2);
    a.onStatement = (_, run) => run();
    await vi.waitFor(async () => expect(await writes(cluster)).toHaveLength(3), SOON);
    const rows = await cluster.sql<{ id: string }>("select id from lockstep.write where status = 'dropped'");
    expect(rows.map(({ id }) => id).sort()).toEqual(named.sort());
    expect(await a.read(APP)).toMatchObject({ version: 1n });
    await a.expectInLockstep(APP);
  });
});
