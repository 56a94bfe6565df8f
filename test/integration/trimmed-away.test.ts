// A replica that is older than what the log keeps.
import { describe, expect, it, vi } from "vitest";
import { readUnchangedTips } from "../../src/store/log/unchanged-tips.ts";
import { compareNotes } from "../../src/sync/catch-up/compare-notes.ts";
import { thaw } from "../../src/sync/operator/thaw.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";
import { APP, inLog, trimTo, versions, versionsFrom } from "../support/trimming.ts";

describe("a replica that is older than the log", () => {
  it("takes all refs of the head, and goes on from there", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const ids = await versions(a, 2);
    await b.read(APP);
    await versionsFrom(a, ids, 4);
    await trimTo(a, "1");
    expect(await b.read(APP)).toMatchObject({ version: 6n });
    await b.expectInLockstep(APP);
    await versionsFrom(a, ids, 1);
    expect(await b.read(APP)).toMatchObject({ version: 7n });
    await b.expectInLockstep(APP);
  });

  it("is no sign of a database that lost writes, neither at its start nor later", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const ids = await versions(a, 2);
    await b.read(APP);
    await b.crash();
    await versionsFrom(a, ids, 3);
    await trimTo(a, "1");
    const again = await b.restart();
    await compareNotes(again.context);
    expect(await cluster.sql("select stopped from lockstep.repository")).toEqual([{ stopped: null }]);
    expect(await again.read(APP)).toMatchObject({ version: 5n });
    await again.expectInLockstep(APP);
    // Its refs were those of main, which the new ones hold.
    expect(await again.git(APP, ["for-each-ref", "refs/lockstep/"])).toBe("");
  });

  it("keeps refs that the log may never have known, before it follows", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const ids = await versions(a, 1);
    await b.read(APP);
    // b alone has version 2, which the database then loses with its number.
    const lost = await b.commit(APP, "lost", { parents: [ids[0] as string] });
    await b.push(APP, [change("main", ids[0] as string, lost)]);
    await b.expectInLockstep(APP);
    await b.crash();
    await forgetHead(cluster);
    const again = await a.restart();
    const others = await versionsFrom(again, ids, 3);
    await trimTo(again, "1");
    const back = await b.restart();
    expect(await back.read(APP)).toMatchObject({ version: 4n });
    await back.expectInLockstep(APP);
    expect(await back.git(APP, ["for-each-ref", "--format=%(refname) %(objectname)", "refs/lockstep/"])).toBe(
      `refs/lockstep/lost/4/heads/main ${lost}`,
    );
    expect(others).toHaveLength(3);
  });

  it("cannot be what a demotion goes back to: an operator is told so", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const ids = await versions(a, 2);
    await b.read(APP);
    await versionsFrom(a, ids, 3);
    await vi.waitFor(
      async () =>
        expect(await cluster.sql("select version from lockstep.replica where device = 'repo001'")).toEqual([
          { version: "5" },
        ]),
      SOON,
    );
    await trimTo(a, "2");
    await a.stop();
    const plan = thaw(b.context, {
      repository: APP,
      action: { demote: ["repo001"] },
      confirmation: "",
      author: "olga",
      signal: AbortSignal.timeout(SOON.timeout),
    });
    await expect(plan).rejects.toMatchObject({
      code: "THAW_REFUSED",
      message: expect.stringMatching(
        /version 2, which repo002 holds, perhaps because it has been trimmed since; .*--promote/,
      ),
    });
  });

  it("names no tips to a source that it may not have", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    await versions(a, 4);
    const tips = async (since: bigint) => await readUnchangedTips(a.context.db, a.replica(APP).id, since, 9);
    expect(await tips(4n)).toHaveLength(1);
    await trimTo(a, "1");
    expect(await tips(2n)).toEqual([]);
    expect(await tips(4n)).toHaveLength(1);
  });

  it("still learns which refs an operator gave up", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const ids = await versions(a, 1);
    await b.read(APP);
    const given = await a.commit(APP, "given up", { parents: [ids[0] as string] });
    await a.push(APP, [change("main", ids[0] as string, given)]);
    await a.expectInLockstep(APP);
    await a.stop();
    const request = {
      repository: APP,
      action: { demote: ["repo001"] },
      author: "olga",
      signal: AbortSignal.timeout(SOON.timeout),
    };
    const { confirmation } = await thaw(b.context, { ...request, confirmation: "" });
    await thaw(b.context, { ...request, confirmation });
    await versionsFrom(b, ids, 3);
    await trimTo(b, "1");
    expect(await inLog(cluster)).toEqual([3, 6]);
    const back = await a.restart();
    expect(await back.read(APP)).toMatchObject({ version: 6n });
    expect(await back.git(APP, ["for-each-ref", "--format=%(refname) %(objectname)", "refs/lockstep/"])).toBe(
      `refs/lockstep/lost/3/heads/main ${given}`,
    );
  });
});

/** Sets the database back to version 1, as after a fail-over that lost version 2. */
async function forgetHead(cluster: TestCluster): Promise<void> {
  const { loseWrites } = await import("../support/lose-writes.ts");
  await loseWrites(cluster, APP, 1n);
}
