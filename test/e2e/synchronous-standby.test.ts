// PostgreSQL with a synchronous standby that is away, and with an old primary that lives on after a fail-over.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { administer } from "../support/administer.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { type Device, PATIENCE } from "../support/cluster-device.ts";
import { type DatabaseProxy, databaseProxy } from "../support/database-proxy.ts";
import { replicationMissing } from "../support/postgres-servers.ts";
import { PushHistory, type Told } from "../support/push-history.ts";
import { pusher } from "../support/pusher.ts";
import { type Replication, startReplication } from "../support/replication.ts";
import { SOON } from "../support/soon.ts";

const missing = replicationMissing();
if (missing) console.log(`The tests of a synchronous standby are skipped: ${missing}`);

let replication: Replication;
let proxy: DatabaseProxy;
let cluster: Cluster;
let history: PushHistory;
beforeEach(async () => {
  replication = await startReplication();
  proxy = await databaseProxy(replication.primary);
  cluster = await startCluster({ via: async () => proxy.url });
  history = await PushHistory.begin(cluster, await pusher(cluster.git, "ada"));
  await replication.setSynchronous(true);
  for (const device of cluster.devices) await history.untilAcknowledged(device, "before");
});
afterEach(async () => {
  await cluster?.[Symbol.asyncDispose]();
  await proxy?.[Symbol.asyncDispose]();
  await replication?.[Symbol.asyncDispose]();
});

const sql = async <Row extends object>(url: string, text: string): Promise<Row[]> =>
  await administer(url, async (client) => (await client.query<Row>(text)).rows);

/** A backend of the primary, another one than `other`, whose commit for that device's push waits for the standby. */
async function waitingForStandby(device: Device, other = 0, patience = SOON): Promise<number> {
  return await vi.waitFor(async () => {
    // The device also commits what has to do with no push. A decision, and the question for its outcome, lock these.
    const text = `select pid from pg_stat_activity a
      where wait_event = 'SyncRep' and application_name = 'lockstep ${device.name} work' and pid <> ${other} and exists (
        select from pg_locks l where l.pid = a.pid and l.mode in ('RowShareLock', 'RowExclusiveLock')
          and l.relation in ('lockstep.ref_log'::regclass, 'lockstep.write'::regclass))`;
    const [found] = await sql<{ pid: number }>(replication.primary, text);
    if (found === undefined) throw new Error("nobody waits for the standby");
    return found.pid;
  }, patience);
}

/**
 * Begins a push whose decision waits for the standby. On a slow machine the device may have to renew its lease first,
 * which waits for the standby too. Then the standby comes back, and another push begins.
 */
async function pushThatWaits(device: Device): Promise<{ told: Promise<Told>; pid: number; before: number }> {
  for (let tries = 1; ; tries += 1) {
    const before = await newestVersion();
    // A catch-up asks the standby too. Only the push shall wait.
    await device.sync(history.repository);
    await replication.disconnectStandby();
    const told = history.push(device, "waiting");
    try {
      return { told, pid: await waitingForStandby(device, 0, { ...SOON, timeout: 10_000 }), before };
    } catch (error) {
      if (tries === 5) throw error;
      await replication.reconnectStandby();
      await told;
    }
  }
}

/** The newest version on the primary, for somebody who waits for nothing. */
async function newestVersion(): Promise<number> {
  const text = "select max(version)::int as version from lockstep.ref_log";
  return (await sql<{ version: number }>(replication.primary, text))[0]!.version;
}

/** Begins a push that waits for the standby, ends its wait with `how`, and returns it once it has asked again. */
async function pushWhoseWaitEnds(
  device: Device,
  how: (pid: number) => Promise<void>,
): Promise<{ told: Promise<Told> }> {
  const { told, pid, before } = await pushThatWaits(device);
  await how(pid);
  await vi.waitFor(async () => expect(await newestVersion()).toBe(before + 1), SOON);
  await waitingForStandby(device, how === ways.cancelled ? 0 : pid);
  return { told };
}

const ways = {
  terminated: async (pid: number) => void (await sql(replication.primary, `select pg_terminate_backend(${pid})`)),
  cancelled: async (pid: number) => void (await sql(replication.primary, `select pg_cancel_backend(${pid})`)),
  killed: async (pid: number) => {
    process.kill(pid, "SIGKILL");
  },
};

describe.skipIf(missing)("a push whose commit has not reached the synchronous standby", () => {
  for (const [name, end] of Object.entries(ways)) {
    it(`is not acknowledged, nor read anywhere, when its backend is ${name}, and after the fail-over the log bears out what its pusher was told`, async () => {
      const [one, two] = cluster.devices as [Device, Device];
      const { repository } = history;
      const refs = await cluster.git.git(["ls-remote", one.url(repository)]);
      const { told } = await pushWhoseWaitEnds(one, end);
      await expect(two.call("BeforeRead", { repository }, { timeoutMs: 2_000 })).rejects.toThrow();
      for (const device of cluster.devices) {
        const onDisk = await cluster.git.git(["-c", "safe.directory=*", "ls-remote", device.gitDir(repository)]);
        expect(onDisk).toBe(refs);
      }
      expect(await Promise.race([told, "still waiting"])).toBe("still waiting");

      await replication.failOver();
      proxy.retarget(replication.standby);
      // It may have been decided anew, by the standby: the log tells.
      await told;
      for (const device of cluster.devices) await history.untilAcknowledged(device, `after-${device.name}`);
      await history.expectTrueAndAtRest();
    });
  }

  it("is acknowledged once the standby is back and has it", async () => {
    const [one] = cluster.devices as [Device];
    const { told } = await pushWhoseWaitEnds(one, ways.cancelled);
    await replication.reconnectStandby();
    const { verdict, stderr, commit } = await told;
    expect(verdict, stderr).toBe("acknowledged");
    for (const device of cluster.devices)
      expect(await cluster.git.git(["ls-remote", device.url(history.repository)])).toContain(commit);
    await history.expectTrueAndAtRest();
  });
});

describe.skipIf(missing)("where commits of this user wait for no standby by default", () => {
  it.each(["off", "local"])(
    "nothing is acknowledged to anybody before the standby has it (synchronous_commit = %s)",
    async (level) => {
      const [one] = cluster.devices as [Device];
      const { repository } = history;
      await sql(replication.primary, `alter role lockstep set synchronous_commit = ${level}`);
      // Connections keep what they began with.
      const ours = "application_name like 'lockstep %' and application_name <> 'lockstep test support'";
      await sql(replication.primary, `select pg_terminate_backend(pid) from pg_stat_activity where ${ours}`);
      for (const device of cluster.devices) await history.untilAcknowledged(device, "again");
      const [landed] = await sql<{ id: string }>(
        replication.primary,
        "select write_id as id from lockstep.ref_log order by version desc limit 1",
      );
      const asked = [
        ["GetWrite", { repository, writeId: landed!.id }],
        ["CreateRepository", { repository: "team/new" }],
        ["CreateRepository", { repository }],
        ["SetRepository", { repository, landWithFewer: true }],
        ["BeginWrite", { repository, reason: "r" }],
      ] as const;
      await one.sync(repository);
      await replication.disconnectStandby();
      const told = history.push(one, "waiting");
      await waitingForStandby(one);
      // All at once: a device that has waited for long takes its database for gone, and then answers nothing at all.
      const answers = await Promise.all(
        asked.map(async ([name, request]) => [
          name,
          await one.call(name, request as never, { timeoutMs: 1_500 }).catch(String),
        ]),
      );
      expect(answers).toEqual(asked.map(([name]) => [name, expect.stringMatching(/DEADLINE|deadline|time/i)]));
      expect(await Promise.race([told, "still waiting"])).toBe("still waiting");
      await replication.reconnectStandby();
      const { verdict, stderr } = await told;
      expect(verdict, stderr).toBe("acknowledged");
      await history.expectTrueAndAtRest();
    },
  );
});

/** Reads at the device; what succeeds must show the commit. Returns whether it succeeded, and what git said. */
async function readNothingOlder(device: Device, commit: string): Promise<{ served: boolean; stderr: string }> {
  const { code, stdout, stderr } = await cluster.git.run(["ls-remote", device.url(history.repository)]);
  if (code === 0) expect(stdout).toContain(commit);
  return { served: code === 0, stderr };
}

const newest = () => history.told.filter(({ verdict }) => verdict === "acknowledged").at(-1)!.commit;

describe.skipIf(missing)("a device that reaches only the old primary after a fail-over", () => {
  let old: DatabaseProxy;
  beforeEach(async () => {
    const [one] = cluster.devices as [Device];
    old = await databaseProxy(replication.primary);
    await one.kill();
    await one.start({ LOCKSTEP_DATABASE_URL: old.url });
    // It knows what its replica holds, so a read needs nothing of the old primary but the head.
    await one.call("BeforeRead", { repository: history.repository }, PATIENCE);
    await replication.promote();
    proxy.retarget(replication.standby);
  });
  afterEach(async () => {
    await old?.[Symbol.asyncDispose]();
  });

  it("serves nothing older than what others have acknowledged, says why, and serves again once it reaches the new primary", async () => {
    const [one, two] = cluster.devices as [Device, Device];
    await history.untilAcknowledged(two, "elsewhere");
    const { served, stderr } = await readNothingOlder(one, newest());
    expect(served).toBe(false);
    expect(stderr).toContain("The database does not answer");
    const ready = await fetch(`${one.demo.http}/readyz`);
    expect({ status: ready.status, text: await ready.text() }).toEqual({
      status: 503,
      text: expect.stringMatching(/^\[-\] lease: .*has not confirmed this device's lease/m),
    });
    old.retarget(replication.standby);
    await vi.waitFor(async () => expect(await readNothingOlder(one, newest())).toMatchObject({ served: true }), SOON);
    for (const device of cluster.devices) await history.untilAcknowledged(device, `after-${device.name}`);
    await history.expectTrueAndAtRest();
  });

  it("serves nothing older where its open connections lead to the old primary and new ones to the new", async () => {
    const [one, two] = cluster.devices as [Device, Device];
    old.redirect(replication.standby);
    await history.untilAcknowledged(two, "elsewhere");
    await vi.waitFor(async () => expect(await readNothingOlder(one, newest())).toMatchObject({ served: true }), SOON);
    // It listens there too, where new heads are announced.
    const listens = `select 1 from pg_stat_activity where application_name = 'lockstep ${one.name} listen'`;
    await vi.waitFor(async () => expect(await sql(replication.standby, listens)).toHaveLength(1), SOON);
    for (const device of cluster.devices) await history.untilAcknowledged(device, `after-${device.name}`);
    await history.expectTrueAndAtRest();
  });
});

describe.skipIf(missing)("a device whose URL names the old primary before the new one, while both live", () => {
  let env: { LOCKSTEP_DATABASE_URL: string };
  beforeEach(async () => {
    const [one, two] = cluster.devices as [Device, Device];
    const hosts = [replication.primary, replication.standby].map((url) => new URL(url).host);
    env = { LOCKSTEP_DATABASE_URL: `postgres://lockstep@${hosts.join(",")}/postgres` };
    await one.kill();
    await one.start(env);
    await one.call("BeforeRead", { repository: history.repository }, PATIENCE);
    await replication.promote();
    proxy.retarget(replication.standby);
    await history.untilAcknowledged(two, "elsewhere");
  });

  async function expectServed(device: Device): Promise<void> {
    await vi.waitFor(
      async () => expect(await readNothingOlder(device, newest())).toMatchObject({ served: true }),
      SOON,
    );
    const listens = `select 1 from pg_stat_activity where application_name = 'lockstep ${device.name} listen'`;
    await vi.waitFor(async () => expect(await sql(replication.standby, listens)).toHaveLength(1), SOON);
    for (const each of cluster.devices) await history.untilAcknowledged(each, `after-${each.name}`);
    await history.expectTrueAndAtRest();
  }

  it("goes to the new one by itself", async () => {
    await expectServed(cluster.devices[0] as Device);
  });

  it("goes to the new one when it starts", async () => {
    const [one] = cluster.devices as [Device];
    await one.kill();
    await one.start(env);
    await expectServed(one);
  });
});
