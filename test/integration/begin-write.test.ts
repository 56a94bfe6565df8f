// A call of BeginWrite is repeated, or fails.
import { randomUUID } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { APP, begin, statusOf, tickets, withHistory } from "../support/begun-writes.ts";
import { holdPacks } from "../support/held-packs.ts";
import { bumpSession, renewSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { SOON, type TestDevice } from "../support/sync-device.ts";

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
  it("a call that is repeated while the first is at work is answered although that one is cut off, and the session lives", async () => {
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

  it("a call that is repeated after the first was cut off in its catch-up gets the session that had begun", async () => {
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

  it("a call that is repeated while it waits keeps its place in the queue when the first is cut off", async () => {
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

  it("a call that is repeated after an answered one, and is cut off, leaves the session as it is", async () => {
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
