// BeginWrite with the id of another write, and beside pushes.
import { describe, expect, it, vi } from "vitest";
import { APP, begin, statusOf, tickets, USED, withHistory } from "../support/begun-writes.ts";
import { latch } from "../support/latch.ts";
import { bumpSession, renewSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";
import { isBump } from "../support/write-rows.ts";

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
