// One catch-up of a replica serves all who wait, goes on beside pushes, and ends when it takes too long.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { LockstepError } from "../../src/errors.ts";
import { listCommands } from "../../src/store/command/find-commands.ts";
import { setUpdateLimit } from "../../src/store/repository/repositories.ts";
import { catchUpToHead } from "../../src/sync/catch-up/catch-up.ts";
import { Follower } from "../../src/sync/catch-up/follower.ts";
import { honest } from "../support/device-parts.ts";
import { holdPacks } from "../support/held-packs.ts";
import { repaired } from "../support/repairing.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";
import { isBump } from "../support/write-rows.ts";

const APP = "team/app";

describe("one flight for all", () => {
  it("makes many reads of a replica that is behind ask for one pack", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    const grants = await Promise.all(Array.from({ length: 20 }, () => b.read(APP)));
    expect(grants.map(({ version }) => version)).toEqual(grants.map(() => 1n));
    expect(b.packRequests).toHaveLength(1);
    await b.expectInLockstep(APP);
  });

  it("lets an impatient reader go, and flies on for the others", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    const open = holdPacks(b);
    const patient = b.read(APP);
    const hurry = new AbortController();
    const impatient = b.read(APP, { signal: hurry.signal });
    await vi.waitFor(() => expect(b.replica(APP).waiting).toBe(2), SOON);
    hurry.abort();
    await expect(impatient).rejects.toMatchObject({ code: "CATCH_UP_TIMEOUT" });
    expect(b.replica(APP).waiting).toBe(1);
    open();
    expect(await patient).toMatchObject({ version: 1n });
    expect(b.packRequests).toHaveLength(1);
  });

  it("turns callers away when a thousand wait, who all get their answer", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    const open = holdPacks(b);
    const waiting = Array.from({ length: 1000 }, () => b.read(APP));
    await vi.waitFor(() => expect(b.replica(APP).waiting).toBe(1000), SOON);
    await expect(b.read(APP)).rejects.toMatchObject({ code: "QUEUE_FULL" });
    open();
    const grants = await Promise.all(waiting);
    expect(new Set(grants.map(({ version }) => version))).toEqual(new Set([1n]));
    expect(b.replica(APP).waiting).toBe(0);
  });
});

describe("a catch-up and a push on the same replica", () => {
  it("do not undo each other: the catch-up drops a plan that is older than the push", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one, two, three] = await b.history(APP);
    await b.push(APP, [change("main", null, one)]);
    // A flight that reads the log after the decision of version 2 and before its refs are on disk, and then takes its time.
    const hold = join(cluster.dir, "hold");
    let flight: Promise<void> | undefined;
    b.onStatement = async (text, run) => {
      const result = await run();
      if (isBump(text) && flight === undefined) {
        await b.beforeGit(`case "$*" in *rev-list*) while [ ! -e ${hold} ]; do sleep 0.01; done;; esac`);
        await b.gitCommands();
        flight = catchUpToHead(b.context, b.replica(APP), { signal: AbortSignal.timeout(SOON.timeout) });
        await vi.waitFor(async () => expect((await b.gitCommands()).join()).toContain("rev-list"), SOON);
        // The gits of the pushes do not wait.
        await b.beforeGit("");
      }
      return result;
    };
    expect(await b.push(APP, [change("main", one, two)])).toEqual({ "refs/heads/main": null });
    expect(await b.push(APP, [change("main", two, three)])).toEqual({ "refs/heads/main": null });
    expect(b.replica(APP).applied).toBe(3n);
    await writeFile(hold, "");
    await flight;
    expect(await b.refs(APP)).toMatchObject({ "refs/heads/main": three });
    await b.expectInLockstep(APP);
    await a.read(APP);
    await a.expectInLockstep(APP);
  });

  it("do not undo each other: the catch-up leaves out of its plan the refs that the push has moved", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one, two] = await b.history(APP);
    await b.push(APP, [change("main", null, one)]);
    await a.read(APP);
    const open = holdPacks(b);
    let flight: Promise<void> | undefined;
    b.onStatement = async (text, run) => {
      const result = await run();
      if (isBump(text) && flight === undefined) {
        // Version 2 is decided here, version 3 on the other device; the flight reads both.
        await a.push(APP, [change("other", null, await a.commit(APP, "elsewhere"))]);
        flight = catchUpToHead(b.context, b.replica(APP), { signal: AbortSignal.timeout(SOON.timeout) });
        await vi.waitFor(() => expect(b.packRequests).toHaveLength(1), SOON);
      }
      return result;
    };
    expect(await b.push(APP, [change("main", one, two)])).toEqual({ "refs/heads/main": null });
    expect(b.replica(APP).applied).toBe(2n);
    open();
    await flight;
    expect((await b.syncEvents()).at(-1)).toMatchObject({ from_version: "2", version: "3", refs_changed: 1 });
    await b.expectInLockstep(APP);
  });
});

describe("a catch-up that takes too long", () => {
  it("is given up although objects still come, and its error is kept", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    await setUpdateLimit(a.context.db, APP, 1_000);
    const beats: NodeJS.Timeout[] = [];
    b.openPack = (_peer, _request, signal, onAlive) =>
      new Promise((_, failed) => {
        // The source works and works.
        beats.push(setInterval(onAlive, 50));
        signal.addEventListener("abort", () => failed(signal.reason as Error), { once: true });
      });
    await using _ = await repaired(b);
    const kept = await vi.waitFor(async () => {
      const [command] = await listCommands(b.context.db, { limit: 1 });
      expect(command?.lastError).toMatch(
        /took longer than 1 s and was given up; `lockstep repo set team\/app --update-limit`/,
      );
      return command;
    }, SOON);
    for (const beat of beats) clearInterval(beat);
    expect(kept).toMatchObject({ state: "queued", attempts: 1 });
    await setUpdateLimit(a.context.db, APP, null);
    b.openPack = honest(cluster);
    await vi.waitFor(async () => await b.expectInLockstep(APP), SOON);
  });
});

describe("followers", () => {
  it("catch up when they are told of a new head, and when they look for themselves", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const follower = new Follower(b.context);
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("main", null, one)]);
    await follower.onHeads([b.replica(APP).id]);
    await vi.waitFor(() => expect(b.replica(APP).applied).toBe(1n), SOON);
    await a.push(APP, [change("other", null, one)]);
    await using _ = await repaired(b);
    await vi.waitFor(() => expect(b.replica(APP).applied).toBe(2n), SOON);
    await vi.waitFor(async () => await b.expectInLockstep(APP), SOON);
  });

  it("make a replica that this process did not know of", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    const c = await cluster.start("repo003");
    await cluster.addReplica(APP, c);
    await using _ = await repaired(c);
    await vi.waitFor(() => expect(c.context.replicas.findByName(APP)?.applied).toBe(1n), SOON);
    await vi.waitFor(async () => await c.expectInLockstep(APP), SOON);
  });

  it("wait for a while before they repeat a catch-up that failed", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    b.openPack = async () => {
      throw new LockstepError("SOURCE_FAILED", "not now");
    };
    await new Follower(b.context).onHeads([b.replica(APP).id]);
    await vi.waitFor(async () => expect((await b.syncEvents()).at(-1)).toMatchObject({ result: "failed" }), SOON);
    const asked = b.packRequests.length;
    b.openPack = honest(cluster);
    await using _ = await repaired(b);
    expect(await listCommands(b.context.db, { limit: 1 })).toEqual([]);
    expect(b.replica(APP).flight).toBeUndefined();
    expect(b.packRequests).toHaveLength(asked);
  });
});
