// Calls of BeginWrite that overlap, are cut off, or name the write of somebody else.
import { randomUUID } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import type { BeginWrite, BegunWrite } from "../../src/sync/session/begin-write.ts";
import { holdPacks } from "../support/held-packs.ts";
import { latch } from "../support/latch.ts";
import { beginSession, bumpSession, renewSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";
import { isBump } from "../support/write-rows.ts";

const APP = "team/app";
const USED = { code: "INVALID_REQUEST", message: expect.stringContaining("of another caller or device") };

const begin = (device: TestDevice, options: Partial<BeginWrite>): Promise<BegunWrite> =>
  beginSession(device, APP, options);

const tickets = async (cluster: TestCluster): Promise<string[]> =>
  (await cluster.sql<{ write_id: string }>("select write_id from lockstep.turn order by ticket")).map(
    ({ write_id: id }) => id,
  );

async function statusOf(cluster: TestCluster, writeId: string) {
  const [row] = await cluster.sql("select status, drop_reason from lockstep.write where id = $1", [writeId]);
  return row;
}

/** A repository with a commit that the second device does not have yet. */
async function withHistory(cluster: TestCluster): Promise<[TestDevice, TestDevice, string]> {
  const [a, b] = await cluster.pair(APP);
  const one = await a.commit(APP, "one");
  await a.push(APP, [change("main", null, one)]);
  return [a, b, one];
}

/** How often the device has taken a ticket since. */
function countTickets(device: TestDevice): () => number {
  let count = 0;
  device.onStatement = async (text, run) => {
    const answer = await run();
    if (text.includes("lockstep.take_turn(")) count += 1;
    return answer;
  };
  return () => count;
}

describe("a call that is repeated", () => {
  it("while the first is still at work is answered although that one is cut off, and the session lives", async () => {
    await using cluster = await TestCluster.make();
    const [, b] = await withHistory(cluster);
    const open = holdPacks(b);
    const taken = countTickets(b);
    const writeId = randomUUID();
    const cut = new AbortController();
    const first = begin(b, { writeId, signal: cut.signal });
    first.catch(() => {});
    await vi.waitFor(() => expect(b.packRequests).not.toEqual([]), SOON);
    const second = begin(b, { writeId });
    await vi.waitFor(() => expect(taken()).toBe(2), SOON);
    cut.abort();
    await expect(first).rejects.toMatchObject({ code: "CATCH_UP_TIMEOUT" });
    open();
    const { token } = await second;
    await renewSession(b, APP, token);
    expect(await bumpSession(b, APP, token)).toMatchObject({ version: 1n, refsChanged: 0 });
    expect(await tickets(cluster)).toEqual([]);
  });

  it("after the first was cut off in its catch-up is given the session that had begun", async () => {
    await using cluster = await TestCluster.make();
    const [, b] = await withHistory(cluster);
    const open = holdPacks(b);
    const writeId = randomUUID();
    const cut = new AbortController();
    const first = begin(b, { writeId, signal: cut.signal });
    first.catch(() => {});
    await vi.waitFor(() => expect(b.packRequests).not.toEqual([]), SOON);
    cut.abort();
    await expect(first).rejects.toMatchObject({ code: "CATCH_UP_TIMEOUT" });
    open();
    const { token } = await begin(b, { writeId });
    expect(await bumpSession(b, APP, token)).toMatchObject({ version: 1n });
  });

  it("while it waits keeps its place in the queue when the first is cut off", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await withHistory(cluster);
    const before = await begin(a, {});
    const taken = countTickets(b);
    const writeId = randomUUID();
    const cut = new AbortController();
    const first = begin(b, { writeId, signal: cut.signal });
    first.catch(() => {});
    await vi.waitFor(() => expect(taken()).toBe(1), SOON);
    const after = begin(a, {});
    await vi.waitFor(async () => expect(await tickets(cluster)).toHaveLength(3), SOON);
    const second = begin(b, { writeId });
    await vi.waitFor(() => expect(taken()).toBe(2), SOON);
    cut.abort();
    await expect(first).rejects.toMatchObject({ code: "WRITE_DROPPED" });
    expect((await tickets(cluster))[1]).toBe(writeId);
    await bumpSession(a, APP, before.token);
    await bumpSession(b, APP, (await second).token);
    await bumpSession(a, APP, (await after).token);
  });

  it("after an answered one, and is cut off, leaves the session as it is", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await withHistory(cluster);
    const { writeId, token } = await begin(a, {});
    a.onStatement = async (text, run) => {
      if (text.includes("update lockstep.turn")) throw new Error("the connection broke");
      return await run();
    };
    await expect(begin(a, { writeId })).rejects.toThrow();
    a.onStatement = (_, run) => run();
    await renewSession(a, APP, token);
    expect(await bumpSession(a, APP, token)).toMatchObject({ version: 1n });
  });
});

describe("a call that fails", () => {
  it("gives up its place when nobody has called again", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await withHistory(cluster);
    const before = await begin(a, {});
    const cut = new AbortController();
    const other = randomUUID();
    const calls = Promise.allSettled([1, 2].map(() => begin(b, { writeId: other, signal: cut.signal })));
    await vi.waitFor(async () => expect(await tickets(cluster)).toHaveLength(2), SOON);
    cut.abort();
    const dropped = { status: "rejected", reason: { code: "WRITE_DROPPED" } };
    expect(await calls).toMatchObject([dropped, dropped]);
    await vi.waitFor(async () => expect(await tickets(cluster)).toEqual([before.writeId]), SOON);
    await bumpSession(a, APP, before.token);
  });

  it("because its replica cannot catch up drops its session at once, with the reason", async () => {
    await using cluster = await TestCluster.make();
    const [, b] = await withHistory(cluster);
    b.openPack = async () => {
      throw new Error("the network is down");
    };
    const writeId = randomUUID();
    await expect(begin(b, { writeId })).rejects.toMatchObject({ code: "NO_SOURCE" });
    await vi.waitFor(async () => {
      expect(await statusOf(cluster, writeId)).toMatchObject({
        status: "dropped",
        drop_reason: expect.stringContaining("could not begin"),
      });
      expect(await tickets(cluster)).toEqual([]);
    }, SOON);
  });
});

describe("a call with the id of", () => {
  it("a push that is being decided is refused, and the push lands", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, one] = await withHistory(cluster);
    const { opened, open } = latch();
    a.onStatement = async (text, run) => {
      if (isBump(text)) await opened;
      return await run();
    };
    const pushed = a.push(APP, [change("topic", null, one)]);
    await vi.waitFor(async () => expect(await a.staged()).toHaveLength(1), SOON);
    const [writeId] = (await a.staged()) as [string];
    for (const device of [a, b]) {
      await expect(begin(device, { writeId, waitMs: 0 })).rejects.toMatchObject(USED);
      await expect(begin(device, { writeId })).rejects.toMatchObject(USED);
    }
    expect(await tickets(cluster)).toEqual([]);
    open();
    expect(await pushed).toEqual({ "refs/heads/topic": null });
    expect(await statusOf(cluster, writeId)).toMatchObject({ status: "landed" });
    await expect(begin(a, { writeId })).rejects.toMatchObject(USED);
    expect(await tickets(cluster)).toEqual([]);
    await a.expectInLockstep(APP);
  });

  it("the ticket with which a push waits is refused, and the push keeps its place", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, one] = await withHistory(cluster);
    const before = await begin(a, {});
    const pushed = a.push(APP, [change("topic", null, one)]);
    await vi.waitFor(async () => expect(await tickets(cluster)).toHaveLength(2), SOON);
    const waiting = await tickets(cluster);
    for (const device of [a, b])
      await expect(begin(device, { writeId: waiting[1]!, waitMs: 0 })).rejects.toMatchObject(USED);
    expect(await tickets(cluster)).toEqual(waiting);
    await bumpSession(a, APP, before.token);
    expect(await pushed).toEqual({ "refs/heads/topic": null });
    await a.expectInLockstep(APP);
  });

  it("another caller's session is refused at once, and changes nothing of it", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await withHistory(cluster);
    const { writeId, token } = await begin(a, {});
    for (const caller of [
      { role: "frontend", name: "wiki" },
      { role: "operator", name: "web" },
    ] as const)
      for (const device of [a, b])
        await expect(begin(device, { writeId, caller, waitMs: 0 })).rejects.toMatchObject(USED);
    // Its lease has run out and its ticket is gone, and still it is the other's.
    await cluster.sql("delete from lockstep.turn");
    const caller = { role: "frontend", name: "wiki" } as const;
    await expect(begin(a, { writeId, caller })).rejects.toMatchObject(USED);
    expect(await statusOf(cluster, writeId)).toMatchObject({ status: "staged" });
    await expect(bumpSession(a, APP, token)).rejects.toMatchObject({ code: "WRITE_DROPPED" });
  });
});

it.each(["read committed", "repeatable read", "serializable"])(
  "sessions and pushes at once on two devices have the turn one after another, and all land (%s is the default)",
  async (isolation) => {
    await using cluster = await TestCluster.make();
    const name = new URL(cluster.url).pathname.slice(1);
    await cluster.sql(`alter database ${name} set default_transaction_isolation = '${isolation}'`);
    const [a, b, one] = await withHistory(cluster);
    await b.read(APP);
    const before = await begin(a, {});
    let holding = 0;
    const sessions = Array.from({ length: 6 }, async (_, index) => {
      const device = index % 2 === 0 ? a : b;
      const { token, path } = await begin(device, {});
      holding += 1;
      expect(holding).toBe(1);
      await device.git(APP, [`--git-dir=${path}`, "update-ref", `refs/heads/session-${index}`, one]);
      await renewSession(device, APP, token);
      holding -= 1;
      return (await bumpSession(device, APP, token)).version;
    });
    const pushes = Array.from({ length: 6 }, async (_, index) => {
      const device = index % 2 === 0 ? a : b;
      return await device.push(APP, [change(`push-${index}`, null, one)]);
    });
    await vi.waitFor(async () => expect(await tickets(cluster)).toHaveLength(13), SOON);
    await bumpSession(a, APP, before.token);
    expect(new Set(await Promise.all(sessions)).size).toBe(6);
    expect(await Promise.all(pushes)).toEqual(pushes.map((_, index) => ({ [`refs/heads/push-${index}`]: null })));
    await vi.waitFor(async () => expect(await tickets(cluster)).toEqual([]), SOON);
    for (const device of [a, b]) {
      await device.read(APP);
      await device.expectInLockstep(APP);
    }
    expect(await cluster.sql("select max(version)::int as head from lockstep.ref_log")).toEqual([{ head: 13 }]);
  },
);
