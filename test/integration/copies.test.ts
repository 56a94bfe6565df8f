import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { pipeline, Transform } from "node:stream";
import { describe, expect, it, vi } from "vitest";
import { refName, valueFromLatin1 } from "../../src/domain.ts";
import { makeCopies } from "../../src/sync/copies/copies.ts";
import { holdObjects } from "../../src/sync/copies/hold-objects.ts";
import type { SyncContext } from "../../src/sync/device/context.ts";
import { APP, copies, three, wants } from "../support/copying.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

describe("a repository that wants several copies", () => {
  it("has the objects of a write on so many devices before it lands, and the log names them", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, c] = await three(cluster);
    await wants(cluster, 3);
    const one = await a.commit(APP, "one");
    let heldBefore: boolean[] = [];
    a.onStatement = async (text, run) => {
      if (text.includes("lockstep.bump(")) heldBefore = await Promise.all([b.has(APP, one), c.has(APP, one)]);
      return await run();
    };
    expect(await a.push(APP, [change("main", null, one)])).toEqual({ "refs/heads/main": null });
    expect(heldBefore).toEqual([true, true]);
    expect(await copies(cluster)).toEqual([["repo002", "repo003"]]);
    expect(await b.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main" });
    // The next one knows the rule beforehand.
    const two = await a.commit(APP, "two", { parents: [one] });
    a.packRequests.length = 0;
    await a.push(APP, [change("main", one, two)]);
    const staged = await cluster.sql("select status, drop_reason from lockstep.write order by started_at");
    expect(staged.map(({ status }) => status)).toEqual(["dropped", "landed", "landed"]);
    for (const device of [b, c]) await device.read(APP);
    await Promise.all([a, b, c].map((device) => device.expectInLockstep(APP)));
  });

  it("sends of a new branch what the others do not have, not its whole history", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, c] = await three(cluster);
    let tip = await a.commit(APP, randomBytes(50_000).toString("base64"));
    await a.push(APP, [change("main", null, tip)]);
    for (const device of [b, c]) await device.read(APP);
    await wants(cluster, 3);
    let bytes = 0;
    for (const device of [b, c]) {
      const send = device.openPack;
      device.openPack = async (...request) => {
        const pack = await send(...request);
        const counted = new Transform({
          transform(chunk: Buffer, _, done) {
            bytes += chunk.length;
            done(null, chunk);
          },
        });
        return pipeline(pack, counted, () => {});
      };
    }
    const one = await a.commit(APP, "one", { parents: [tip] });
    await a.push(APP, [change("topic", null, one)]);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(5_000);
    // Together with a branch that moves, too.
    tip = await a.commit(APP, "two", { parents: [tip] });
    const other = await a.commit(APP, "three", { parents: [one] });
    bytes = 0;
    await a.push(APP, [change("topic", one, other), change("another", null, tip)]);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(5_000);
    await Promise.all([b, c].map(async (device) => await device.read(APP)));
    await Promise.all([a, b, c].map((device) => device.expectInLockstep(APP)));
  });

  it("stops the copies that nobody waits for any more", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, c] = await three(cluster);
    for (const device of [b, c]) await device.read(APP);
    const one = await a.commit(APP, "one");
    const asked: { device: string; signal: AbortSignal }[] = [];
    const context: SyncContext = {
      ...a.context,
      async requestHold({ device }, _request, signal) {
        asked.push({ device, signal });
        await vi.waitFor(() => expect(asked).toHaveLength(2), SOON);
        if (device !== asked[0]?.device) await once(signal, "abort");
      },
    };
    const copied = await makeCopies(context, a.replica(APP), {
      updates: [{ name: refName("refs/heads/main"), oldValue: null, newValue: valueFromLatin1(one) }],
      rule: { atLeast: 2, orFewer: false },
    });
    // At once, not when its work has shown nothing new for too long.
    expect(asked[1]?.signal.aborted).toBe(true);
    expect(copied).toEqual([asked[0]?.device]);
  });

  it("copies only for the device that writes: who has its key has nobody keep objects in its name", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await three(cluster);
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("main", null, one)]);
    await b.read(APP);
    const loose = await a.commit(APP, "loose", { parents: [one] });
    const { id: repositoryId } = a.replica(APP);
    for (const wanted of [one, loose])
      await expect(
        holdObjects(b.context, "repo001", { repositoryId, wants: [wanted], haves: [], refs: [] }),
      ).rejects.toMatchObject({
        code: "PERMISSION_DENIED",
        message: expect.stringContaining("so somebody else may have its key"),
      });
    expect(await b.has(APP, loose)).toBe(false);
    expect(await b.git(APP, ["for-each-ref", "refs/lockstep/"])).toBe("");
    // A device that gives up meanwhile is no thief.
    const gone = AbortSignal.abort(new Error("it has gone"));
    const late = holdObjects(
      b.context,
      "repo001",
      { repositoryId, wants: [one], haves: [], refs: [] },
      { signal: gone },
    );
    await expect(late).rejects.toThrow("it has gone");
  });

  it("takes the first push after the number rose, rose again, or its sidecar was started anew", async () => {
    await using cluster = await TestCluster.make();
    let [a] = await three(cluster);
    const ids = await a.history(APP);
    await a.push(APP, [change("main", null, ids[0])]);
    await wants(cluster, 2);
    expect(await a.push(APP, [change("main", ids[0], ids[1])])).toEqual({ "refs/heads/main": null });
    await wants(cluster, 3);
    expect(await a.push(APP, [change("main", ids[1], ids[2])])).toEqual({ "refs/heads/main": null });
    await a.crash();
    a = await a.restart();
    await a.read(APP);
    expect(await a.push(APP, [change("main", ids[2], ids[0])])).toEqual({ "refs/heads/main": null });
    expect((await copies(cluster)).map(({ length }) => length)).toEqual([0, 1, 2, 2]);
    await a.expectInLockstep(APP);
  });

  it("takes a push during which the number rises twice", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await three(cluster);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    let wanted = 1;
    a.onStatement = async (text, run) => {
      if (/lockstep\.(bump|stage_write)\(/.test(text) && wanted < 3) await wants(cluster, ++wanted);
      return await run();
    };
    expect(await a.push(APP, [change("main", one, two)])).toEqual({ "refs/heads/main": null });
    expect((await copies(cluster)).at(-1)).toEqual(["repo002", "repo003"]);
    await a.expectInLockstep(APP);
  });

  it("needs nothing fetched where they are held already", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await three(cluster);
    await wants(cluster, 3);
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("main", null, one)]);
    b.packRequests.length = 0;
    await b.read(APP);
    expect(b.packRequests).toEqual([]);
    await b.expectInLockstep(APP);
  });

  it("loses nothing when the disk of the writer is lost, whichever follows first", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, c] = await three(cluster);
    await wants(cluster, 2);
    let parent: string | null = null;
    for (let version = 1; version <= 5; version += 1) {
      const next: string = await a.commit(APP, `${version}`, parent ? { parents: [parent] } : {});
      await a.push(APP, [change("main", parent, next)]);
      parent = next;
    }
    await a.stop();
    await rm(a.context.root, { recursive: true });
    for (const device of [b, c]) {
      await device.read(APP);
      expect(await device.refs(APP)).toMatchObject({ "refs/heads/main": parent });
      await device.expectInLockstep(APP);
    }
  });

  it("needs no copies of a deletion", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await three(cluster);
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("main", null, one), change("topic", null, one)]);
    await wants(cluster, 2);
    expect(await a.push(APP, [change("topic", one, null)])).toEqual({ "refs/heads/topic": null });
    await a.expectInLockstep(APP);
  });

  it("lands a deletion however few devices are up, and names no copies of it", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, c] = await three(cluster);
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("main", null, one), change("topic", null, one)]);
    await wants(cluster, 3);
    await Promise.all([b.stop(), c.stop()]);
    expect(await a.push(APP, [change("topic", one, null)])).toEqual({ "refs/heads/topic": null });
    expect((await copies(cluster)).at(-1)).toEqual([]);
    await a.expectInLockstep(APP);
  });

  it("forgets after an hour what a device kept for it, and keeps what is younger", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, c] = await three(cluster);
    await wants(cluster, 3);
    const kept = (device: TestDevice) =>
      device.git(APP, ["for-each-ref", "--format=%(objectname)", "refs/lockstep/staged"]);
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("main", null, one)]);
    const two = await a.commit(APP, "two", { parents: [one] });
    await a.push(APP, [change("main", one, two)]);
    expect((await kept(b)).split("\n").toSorted()).toEqual([one, two].toSorted());
    const later = Date.now() + 2 * 60 * 60_000;
    const clock = vi.spyOn(Date, "now").mockReturnValue(later);
    const three_ = await a.commit(APP, "three", { parents: [two] });
    try {
      await a.push(APP, [change("main", two, three_)]);
    } finally {
      clock.mockRestore();
    }
    await vi.waitFor(async () => expect(await kept(c)).toBe(three_), SOON);
    await b.read(APP);
    await b.expectInLockstep(APP);
  });
});
