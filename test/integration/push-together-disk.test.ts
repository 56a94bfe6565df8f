// What the pushers of a group are told when the disk fails after the decision: what the database has decided.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { holdAtCrashPoints } from "../../src/crash-points.ts";
import { APP, pushedOnce } from "../support/pushed-once.ts";
import { allAtOnce, branch, create, landed } from "../support/pushes-together.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";
import { isBumpTogether, isSettle, log, writes } from "../support/write-rows.ts";

/** Puts a directory in the place of the note beside the replica, so that no note can be written. */
async function takeNoNotes(device: TestDevice): Promise<string> {
  const inTheWay = join(device.gitDir(APP), "lockstep.version");
  await rm(inTheWay);
  await mkdir(inTheWay);
  return inTheWay;
}

describe("pushes that were decided together", () => {
  it.each([true, false])(
    "have an unknown outcome while the database is away, also where the disk takes no note of the doubt (landed: %s)",
    async (hasLanded) => {
      await using cluster = await TestCluster.make();
      const a = await cluster.start("repo001", { inDoubtMs: 0 });
      await cluster.create(APP, [a]);
      const ids = await a.history(APP);
      await a.push(APP, [change("main", null, ids[0])]);
      let inTheWay = "";
      a.onStatement = async (text, run) => {
        if (isBumpTogether(text)) inTheWay = await takeNoNotes(a);
        if (isBumpTogether(text) && hasLanded) await run();
        if (isBumpTogether(text) || isSettle(text)) throw new Error("Connection terminated unexpectedly");
        return await run();
      };
      const told = await allAtOnce(a, [create(a, "x", ids[0]), create(a, "y", ids[1])]);
      expect(told).toMatchObject([{ code: "OUTCOME_UNKNOWN" }, { code: "OUTCOME_UNKNOWN" }]);
      const named = told.map((error) => (error as { details: { write: string } }).details.write);
      a.onStatement = (_, run) => run();
      await rm(inTheWay, { recursive: true });
      // The row of each becomes final all the same.
      await vi.waitFor(async () => {
        const rows = await cluster.sql<{ id: string; status: string }>("select id, status from lockstep.write");
        const status = hasLanded ? "landed" : "dropped";
        expect(rows).toEqual(expect.arrayContaining(named.map((id) => ({ id, status }))));
      }, SOON);
      expect(await a.read(APP)).toMatchObject({ version: hasLanded ? 3n : 1n });
      await a.expectInLockstep(APP);
    },
  );

  it("are told that they have landed, also where the disk takes no note of it", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, ids } = await pushedOnce(cluster);
    let inTheWay = "";
    a.onStatement = async (text, run) => {
      const result = await run();
      if (isBumpTogether(text)) inTheWay = await takeNoNotes(a);
      return result;
    };
    expect(await allAtOnce(a, [create(a, "x", ids[0]), create(a, "y", ids[1])])).toEqual(landed("x", "y"));
    expect(a.replica(APP).applied).toBeUndefined();
    const said = a.logged.map(({ msg }) => msg);
    expect(said).toContain("landed and on this disk, but the note beside the replica does not say so");
    expect(said).not.toContain("landed, but not yet on this disk");
    await rm(inTheWay, { recursive: true });
    await vi.waitFor(async () => expect(await a.read(APP)).toMatchObject({ version: 3n }), SOON);
    await b.read(APP);
    for (const device of [a, b]) await device.expectInLockstep(APP);
  });

  it("are told that they have landed where an error comes before their refs, once a catch-up has brought these", async () => {
    await using cluster = await TestCluster.make();
    const { a, ids } = await pushedOnce(cluster);
    const point = join(cluster.dir, "group.decided");
    await writeFile(point, "");
    // Nobody can note that the point was reached.
    await mkdir(`${point}.reached`);
    holdAtCrashPoints(cluster.dir);
    try {
      expect(await allAtOnce(a, [create(a, "x", ids[0]), create(a, "y", ids[1])])).toEqual(landed("x", "y"));
    } finally {
      holdAtCrashPoints(undefined);
    }
    const said = a.logged.map(({ msg }) => msg);
    expect(said).toContain("a step after the decision of several pushes failed");
    expect(said).not.toContain("pushes are not decided together");
    expect(await a.refs(APP)).toMatchObject({ [branch("x")]: ids[0], [branch("y")]: ids[1] });
    expect(a.replica(APP).applied).toBe(3n);
    expect((await log(cluster)).map(({ names }) => names)).toEqual([[branch("main")], [branch("x")], [branch("y")]]);
    expect(await writes(cluster)).toHaveLength(3);
    await a.expectInLockstep(APP);
  });
});
