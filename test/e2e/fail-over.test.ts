// The database fails over to a standby that has everything, and to one that lacks the last commits.
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { expectVerified } from "../support/at-rest.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { PATIENCE } from "../support/cluster-device.ts";
import { type DatabaseProxy, databaseProxy } from "../support/database-proxy.ts";
import { replicationMissing } from "../support/postgres-servers.ts";
import { isAlive } from "../support/processes.ts";
import { PushHistory } from "../support/push-history.ts";
import { pusher } from "../support/pusher.ts";
import { type Replication, startReplication } from "../support/replication.ts";
import { soon } from "../support/soon.ts";
import { Watching } from "../support/watching.ts";

const missing = replicationMissing();
if (missing) console.log(`skipped, fail-over of the database: ${missing}`);
const SOON = soon(100);

let replication: Replication;
let proxy: DatabaseProxy;
let cluster: Cluster;
beforeEach(async () => {
  replication = await startReplication();
  proxy = await databaseProxy(replication.primary);
  cluster = await startCluster({ via: async () => proxy.url });
});
afterEach(async () => {
  await cluster?.[Symbol.asyncDispose]();
  await proxy?.[Symbol.asyncDispose]();
  await replication?.[Symbol.asyncDispose]();
});

describe.skipIf(missing)("after a fail-over", () => {
  it("to a synchronous standby nothing acknowledged is missing, no watcher misses a version, and no sidecar falls", async () => {
    const [one, two, three] = cluster.devices as [never, never, never];
    const history = await PushHistory.begin(cluster, await pusher(cluster.git, "ada"));
    await replication.setSynchronous(true);
    const pids = cluster.devices.map(({ pid }) => pid);
    const stop = new AbortController();
    const watchers = ["landed", "everywhere"].flatMap((visible) =>
      cluster.devices.map(
        (each) => new Watching(each, "--from", "beginning", history.repository, "--visible", visible),
      ),
    );
    const lines = [one, two, three].map((device, index) => history.keepPushing(device, `line-${index}`, stop.signal));
    await delay(2_000);
    // A watch that begins while the database is away is refused. One that has begun goes on.
    for (const watching of watchers) await watching.untilTold(1);
    await replication.failOver();
    proxy.retarget(replication.standby);
    for (const [index, device] of cluster.devices.entries()) await history.untilAcknowledged(device, `after-${index}`);
    stop.abort();
    await Promise.all(lines);
    const { log } = await history.expectTrueAndAtRest();
    expect(pids.every(isAlive)).toBe(true);
    // No watcher has missed a version or was told one twice, on whichever device it watches.
    const versions = log.map(({ version }) => Number(version)).sort((a, b) => a - b);
    for (const watching of watchers) {
      await watching.untilTold(versions.length);
      expect(watching.events.map(({ version }) => version)).toEqual(versions);
      await watching[Symbol.asyncDispose]();
    }
    console.log(history.summary(log));
  });
});

describe.skipIf(missing)("after a fail-over to a standby that lacks the last commits", () => {
  it("reads and writes of what was lost are refused with a sentence, nothing on disk is taken back, and an operator gets out", async () => {
    const history = await PushHistory.begin(cluster, await pusher(cluster.git, "ada"));
    const [one] = cluster.devices as [Cluster["devices"][number]];
    await history.untilAcknowledged(one, "kept");
    const untouched = await cluster.createRepository();
    await replication.standbyHasAll();
    await replication.disconnectStandby();
    await history.untilAcknowledged(one, "lost");
    const { repository } = history;
    await Promise.all(cluster.devices.map((device) => device.call("BeforeRead", { repository }, PATIENCE)));
    const refs = await cluster.git.git(["ls-remote", one.url(repository)]);
    await replication.failOver();
    proxy.retarget(replication.standby);
    await vi.waitFor(async () => expect(await one.isReady()).toBe(true), SOON);
    for (const device of cluster.devices) {
      await vi.waitFor(
        async () =>
          expect(await cluster.git.run(["ls-remote", device.url(repository)])).toMatchObject({
            code: 128,
            stderr: expect.stringContaining("the database lost writes"),
          }),
        SOON,
      );
      const { verdict, stderr } = await history.push(device, `to-${device.name}`);
      expect(verdict).not.toBe("acknowledged");
      expect(stderr).toContain("the database lost writes");
      const onDisk = await cluster.git.git(["-c", "safe.directory=*", "ls-remote", device.gitDir(repository)]);
      expect(onDisk).toBe(refs);
      // Others go on.
      expect(await cluster.git.run(["ls-remote", device.url(untouched)])).toMatchObject({ code: 0 });
    }
    const { document: status } = await one.lockstep("status");
    expect(status.repositories).toContainEqual(
      expect.objectContaining({ name: repository, stopped: expect.stringContaining("the database lost writes") }),
    );

    // An operator says that what is on the disks stays: nothing acknowledged is lost after all.
    const settled = await one.lockstep("thaw", repository, "--promote", one.name, "--yes");
    expect(settled).toMatchObject({ code: 0, document: { repositories: [{ done: true, lost: { commits: [] } }] } });
    for (const device of cluster.devices) {
      const shown = async () => (await cluster.git.run(["ls-remote", device.url(repository)])).stdout.trim();
      await vi.waitFor(async () => expect(await shown()).toBe(refs), SOON);
      await expectVerified(device, repository);
    }
    for (const device of cluster.devices) await history.untilAcknowledged(device, `again-${device.name}`);
  });
});
