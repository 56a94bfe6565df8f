// How many statements, requests and processes the common paths cost. Counted, not timed.
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { Follower } from "../../src/sync/catch-up/follower.ts";
import { askedBy } from "../support/asked.ts";
import { APP, three, wants } from "../support/copying.ts";
import { holdPacks } from "../support/held-packs.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

/** Lets a follower catch up. Returns what that cost on its device. */
async function followed(device: TestDevice) {
  const replica = device.replica(APP);
  const before = (await device.syncEvents()).length;
  const statements: string[] = [];
  device.packRequests.length = 0;
  await device.gitCommands();
  await askedBy(device, statements, async () => await new Follower(device.context).onHeads([replica.id]));
  await vi.waitFor(async () => expect(await device.syncEvents()).toHaveLength(before + 1), SOON);
  await vi.waitFor(() => expect(replica.flight).toBeUndefined(), SOON);
  const started = (await device.gitCommands()).map((command) => command.split(" ")[0]);
  // The git that writes refs may still be there from the last change.
  const gits = started.filter((command) => command !== "update-ref").sort();
  return { statements: statements.length, requests: device.packRequests.length, gits };
}

/** Pushes commits to `a` one by one, and tells the follower of `b` of each. `seen` waits for what it does then. */
async function tellOfEach(
  ids: readonly string[],
  a: TestDevice,
  b: TestDevice,
  follower: Follower,
  seen: () => Promise<void>,
): Promise<void> {
  let before: string | null = null;
  for (const tip of ids) {
    await a.push(APP, [change("main", before, tip)]);
    before = tip;
    await follower.onHeads([b.replica(APP).id]);
    await seen();
  }
}

const CATCH_UP = { statements: 2, requests: 1, gits: ["index-pack", "rev-list"] };

describe("a catch-up of a follower", () => {
  it("makes two statements and one request, however many versions it brings", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one, two, three] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    expect(await followed(b)).toEqual(CATCH_UP);
    await a.push(APP, [change("main", one, two)]);
    await a.push(APP, [change("main", two, three)]);
    await a.push(APP, [change("other", null, await a.commit(APP, "four", { parents: [one] }))]);
    expect(await followed(b)).toEqual(CATCH_UP);
    await b.expectInLockstep(APP);
  });

  it("asks for no pack of what it holds for another device", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, c] = await three(cluster);
    await wants(cluster, 3);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    for (const device of [b, c])
      expect(await followed(device)).toEqual({ ...CATCH_UP, requests: 0, gits: ["rev-list"] });
    await a.push(APP, [change("main", one, two)]);
    await wants(cluster, 1);
    // What a push that lands would tell this device.
    a.replica(APP).copiesRule = { atLeast: 1, orFewer: false };
    const four = await a.commit(APP, "four", { parents: [two] });
    await a.push(APP, [change("other", null, four)]);
    expect(await followed(b)).toMatchObject({ statements: 2, requests: 1 });
    expect(b.packRequests).toMatchObject([{ wants: [four], haves: expect.arrayContaining([two]) }]);
    await b.expectInLockstep(APP);
  });

  it("fetches what it should hold and does not", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await three(cluster);
    await wants(cluster, 3);
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("main", null, one)]);
    // As after a disk that lost them: the copies came in one pack.
    const packs = join(b.gitDir(APP), "objects", "pack");
    for (const file of await readdir(packs)) await rm(join(packs, file));
    expect(await followed(b)).toMatchObject({ requests: 1 });
    expect(await b.has(APP, one)).toBe(true);
    await b.expectInLockstep(APP);
  });

  it("is followed by one more for all that landed meanwhile", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const ids = await a.history(APP);
    const open = holdPacks(b);
    const follower = new Follower(b.context);
    const statements: string[] = [];
    await askedBy(b, statements, async () => {
      await tellOfEach(ids, a, b, follower, async () => {
        await vi.waitFor(() => expect(b.packRequests).toHaveLength(1), SOON);
      });
      open();
    });
    await vi.waitFor(() => expect(b.replica(APP).applied).toBe(3n), SOON);
    await vi.waitFor(() => expect(b.replica(APP).flight).toBeUndefined(), SOON);
    expect((await b.syncEvents()).slice(-2)).toMatchObject([
      { from_version: "0", version: "1" },
      { from_version: "1", version: "3" },
    ]);
    expect(b.packRequests.map(({ wants }) => wants)).toEqual([[ids[0]], [ids[2]]]);
    expect(statements).toHaveLength(4);
    await b.expectInLockstep(APP);
  });

  it("is not made for each push of many: the repository rests after one, and a read does not wait for that", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const ids = await a.history(APP);
    const follower = new Follower(b.context, () => 600_000);
    const statements: string[] = [];
    await askedBy(b, statements, () =>
      tellOfEach(ids, a, b, follower, async () => {
        await vi.waitFor(() => expect(b.replica(APP).applied).toBe(1n), SOON);
        await vi.waitFor(() => expect(b.replica(APP).flight).toBeUndefined(), SOON);
      }),
    );
    expect(statements).toHaveLength(2);
    expect((await b.read(APP)).version).toBe(3n);
    expect(b.packRequests.map(({ wants }) => wants)).toEqual([[ids[0]], [ids[2]]]);
    await b.expectInLockstep(APP);
  });
});

describe("a push to a quiet replica", () => {
  /** Returns the statements of the second push of a device, after its upload. */
  async function ofSecondPush(a: TestDevice): Promise<string[]> {
    const [one, two] = await a.history(APP);
    // The first one tells the device the rule of copies, and the key of digests.
    await a.push(APP, [change("main", null, one)]);
    await vi.waitFor(() => expect(a.replica(APP).recorded).toBe(1n), SOON);
    const statements: string[] = [];
    await askedBy(a, statements, async () => await a.push(APP, [change("main", one, two)]));
    await a.expectInLockstep(APP);
    // The record of the version and the notification go beside the answer to the pusher.
    return statements.filter((text) => !/update lockstep.replica|pg_notify/.test(text));
  }

  it("makes one statement, which is the decision", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const statements = await ofSecondPush(a);
    expect(statements).toEqual([expect.stringContaining("lockstep.bump(")]);
  });

  it("makes two statements of its own with copies", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await three(cluster);
    await wants(cluster, 2);
    const own = (await ofSecondPush(a)).filter((text) => !text.includes("from lockstep.replica"));
    expect(own).toEqual([expect.stringContaining("lockstep.stage_write("), expect.stringContaining("lockstep.bump(")]);
  });
});

describe("a read of a replica that is current", () => {
  it("makes one statement and starts no git, and shares the statement with others", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    await a.gitCommands();
    const alone: string[] = [];
    const together: string[] = [];
    await askedBy(a, alone, async () => await a.read(APP));
    expect(alone).toHaveLength(1);
    await askedBy(a, together, async () => await Promise.all(Array.from({ length: 50 }, () => a.read(APP))));
    expect(together).toHaveLength(1);
    expect(await a.gitCommands()).toEqual([]);
  });
});
