// A thaw after the database lost writes that a device has.
import { rm } from "node:fs/promises";
import { describe, expect, it, vi } from "vitest";
import { loseWrites } from "../support/lose-writes.ts";
import { repaired } from "../support/repairing.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";
import { APP, ask, commits, lost, REFUSED, recorded, settle, three } from "../support/thawing.ts";

/** a has version 2 of main, which the database lost; b has landed another version 2, and c has followed b. */
async function diverged(cluster: TestCluster) {
  const [a, b, c] = await three(cluster);
  const [one, two] = await commits(a);
  await a.push(APP, [change("main", null, one)]);
  await b.read(APP);
  await c.read(APP);
  await a.push(APP, [change("main", one, two)]);
  await recorded(cluster, a, "2");
  await loseWrites(cluster, APP, 1n);
  const elsewhere = await b.commit(APP, "elsewhere");
  await b.push(APP, [change("topic", null, elsewhere)]);
  await c.read(APP);
  await expect(a.read(APP)).rejects.toMatchObject({ code: "AHEAD_OF_DATABASE" });
  return { a, b, c, one, two, elsewhere };
}

describe("when the database has lost writes that a device has", () => {
  it("the refs of that device can be brought back: the others follow, and keep their own refs aside", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, c, two, elsewhere } = await diverged(cluster);
    const { plan } = await ask(a, { promote: "repo001" });
    expect(plan).toMatchObject({ head: 2n, version: 3n, keeper: { device: "repo001", version: 2n } });
    expect(plan.gained.commits).toMatchObject([{ id: two, subject: "two", author: "Ada" }]);
    expect([...plan.lost.commits.map(({ id }) => id), ...plan.lost.missing]).toEqual([elsewhere]);
    expect(await settle(a, { promote: "repo001" })).toMatchObject({ done: true });
    await a.expectInLockstep(APP);
    for (const device of [b, c]) {
      expect(await device.read(APP)).toMatchObject({ version: 3n });
      await device.expectInLockstep(APP);
      expect(await device.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main", "refs/heads/main": two });
      expect(await lost(device)).toEqual({ "refs/lockstep/lost/3/heads/topic": elsewhere });
    }
    const next = await b.commit(APP, "next", { parents: [two] });
    expect(await b.push(APP, [change("main", two, next)])).toEqual({ "refs/heads/main": null });
    expect(await a.read(APP)).toMatchObject({ version: 4n });
    expect(
      await cluster.sql("select author, action, detail->>'version' as version from lockstep.audit order by id"),
    ).toEqual([
      { author: "device repo001", action: "stop", version: null },
      { author: "olga", action: "thaw --promote", version: "3" },
    ]);
  });

  it("the refs of the others can stay: the device keeps its own refs aside, then follows", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, two, elsewhere } = await diverged(cluster);
    await expect(ask(b, { demote: ["repo003"] })).rejects.toMatchObject(REFUSED);
    const { plan } = await ask(b, { promote: "repo002" });
    expect(plan).toMatchObject({ updates: [], version: 3n });
    await settle(b, { promote: "repo002" });
    expect(await b.read(APP)).toMatchObject({ version: 3n });
    await vi.waitFor(async () => expect(await a.read(APP)).toMatchObject({ version: 3n }), SOON);
    await a.expectInLockstep(APP);
    expect(await a.refs(APP)).toMatchObject({ "refs/heads/topic": elsewhere });
    expect(await lost(a)).toEqual({ "refs/lockstep/lost/3/heads/main": two });
  });

  it("a device that was away comes back with a third state, which can be settled too", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, c] = await three(cluster);
    const [one, two, third] = await commits(a);
    await a.push(APP, [change("main", null, one)]);
    await a.push(APP, [change("main", one, two)]);
    await b.read(APP);
    await c.read(APP);
    await a.push(APP, [change("main", two, third)]);
    await recorded(cluster, a, "3");
    await a.crash();
    await loseWrites(cluster, APP, 1n);
    // b and c are at 2, the database at 1, a, which is away, at 3.
    await expect(b.read(APP)).rejects.toMatchObject({ code: "AHEAD_OF_DATABASE" });
    await expect(c.read(APP)).rejects.toMatchObject({ code: "AHEAD_OF_DATABASE" });
    await settle(b, { promote: "repo002" });
    expect(await b.read(APP)).toMatchObject({ version: 3n });
    expect(await c.read(APP)).toMatchObject({ version: 3n });
    await c.expectInLockstep(APP);
    expect(await lost(c)).toEqual({});
    const back = await a.restart();
    await expect(back.read(APP)).rejects.toMatchObject({ code: "AHEAD_OF_DATABASE" });
    await settle(back, { promote: "repo001" });
    expect(await c.read(APP)).toMatchObject({ version: 4n });
    expect(await c.refs(APP)).toMatchObject({ "refs/heads/main": third });
    for (const device of [back, b, c]) {
      await device.read(APP);
      await device.expectInLockstep(APP);
    }
  });

  it("a version that leaves a gap is followed over by those below, in and above it", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, c] = await three(cluster);
    const history = [await a.commit(APP, "0")];
    for (let n = 1; n < 5; n += 1)
      history.push(await a.commit(APP, String(n), { parents: [history[n - 1] as string] }));
    await a.push(APP, [change("main", null, history[0] as string)]);
    await c.read(APP);
    for (let n = 1; n < 5; n += 1) {
      await a.push(APP, [change("main", history[n - 1] as string, history[n] as string)]);
      if (n === 2) await b.read(APP);
    }
    await recorded(cluster, a, "5");
    await loseWrites(cluster, APP, 1n);
    await settle(a, { promote: "repo001" });
    for (const device of [b, c, a]) {
      expect(await device.read(APP)).toMatchObject({ version: 6n });
      await device.expectInLockstep(APP);
      expect(await lost(device)).toEqual({});
    }
    expect(await b.push(APP, [change("main", history[4] as string, history[3] as string)])).toEqual({
      "refs/heads/main": null,
    });
    for (const device of [a, c]) expect(await device.read(APP)).toMatchObject({ version: 7n });
  });

  it("is not decided without need, elsewhere, or for a disk that is not whole", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one, two] = await commits(a);
    await a.push(APP, [change("main", null, two)]);
    await b.read(APP);
    await expect(ask(a, { promote: "repo001" })).rejects.toMatchObject({
      ...REFUSED,
      message: expect.stringContaining("nothing to decide"),
    });
    await expect(ask(a, { promote: "repo002" })).rejects.toMatchObject({
      ...REFUSED,
      message: expect.stringContaining("run this there"),
    });
    await a.git(APP, ["update-ref", "refs/heads/hand", one]);
    await rm(`${a.gitDir(APP)}/objects/${one.slice(0, 2)}/${one.slice(2)}`);
    await expect(ask(a, { promote: "repo001" })).rejects.toMatchObject({ code: "REPLICA_IN_DOUBT" });
  });

  it("the others follow without being asked", async () => {
    await using cluster = await TestCluster.make();
    const { a, b } = await diverged(cluster);
    await settle(a, { promote: "repo001" });
    await using _ = await repaired(b);
    await vi.waitFor(() => expect(b.replica(APP).applied).toBe(3n), SOON);
  });
});
