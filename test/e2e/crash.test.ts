import { describe, expect, it, vi } from "vitest";
import { administer } from "../support/administer.ts";
import { wholeLog } from "../support/at-rest.ts";
import { ada, cluster, one, startClusterOfFile, three, two } from "../support/file-cluster.ts";
import { holdPush, killAt, type Point } from "../support/held-push.ts";
import { isAlive, processesOf, type Running } from "../support/processes.ts";
import { PushHistory } from "../support/push-history.ts";
import { soon } from "../support/soon.ts";

startClusterOfFile({ revive: true });

const SOON = soon(1);

/**
 * A repository in the database: its head, its version on record for a device, and how many writes are staged or being
 * decided.
 */
interface Seen {
  readonly head: string;
  readonly recorded: string;
  readonly underWay: number;
}
const SEEN = `select r.head_version as head, p.version as recorded,
    (select count(*)::int from lockstep.write w where w.repository_id = r.id and w.status = 'staged') +
    (select count(*)::int from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()
       and state = 'active' and query like '%lockstep.bump(%') as "underWay"
  from lockstep.repository r join lockstep.replica p on p.repository_id = r.id and p.device = $2 where r.name = $1`;
/** Moments of a push. Most of a push is git's; the moments that matter are the milliseconds around the decision. */
const MOMENTS = [
  (now: Seen) => now.underWay > 0,
  (now: Seen, before: Seen) => now.underWay > 0 && now.head !== before.head,
  (now: Seen, before: Seen) => now.head !== before.head,
  (now: Seen, before: Seen) => now.recorded !== before.recorded,
];

/** mulberry32: the same numbers for the same seed. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe("at random moments of pushes", () => {
  // Printed with the results; the moments come again with it, what happens at them need not.
  const seed = Number(process.env.CRASH_SEED ?? Math.floor(Math.random() * 1e9));
  const random = chance(seed);

  it("kill -9 of sidecars loses nothing, halves nothing, and they are back at once", async () => {
    const history = await PushHistory.begin(cluster, ada);
    const back: number[] = [];
    const elsewhere: number[] = [];
    await administer(cluster.databaseUrl, async (db) => {
      for (let round = 1; round <= 6; round += 1) {
        // The one that writes, one that follows, or all of them.
        const victims = round % 5 === 0 ? [one, two, three] : round % 3 === 0 ? [two] : [one];
        const stop = new AbortController();
        const lines = [history.keepPushing(one, "x", stop.signal), history.keepPushing(one, "y", stop.signal)];
        const seen = async () => (await db.query(SEEN, [history.repository, one.name])).rows[0];
        const atFirst = await seen();
        const later = Number(atFirst.head) + Math.floor(4 * random());
        await vi.waitUntil(async () => Number((await seen()).head) >= later, SOON);
        const begun = await seen();
        const moment = MOMENTS[Math.floor(MOMENTS.length * random())] as (typeof MOMENTS)[number];
        await vi.waitUntil(async () => moment(await seen(), begun), SOON);
        const killedAt = performance.now();
        await Promise.all(victims.map((victim) => victim.kill()));
        stop.abort();
        // What was acknowledged a moment before the kill may be on no other device yet; then the others wait for the start.
        const other = cluster.devices.find((device) => !victims.includes(device));
        const pushedElsewhere = other && history.untilAcknowledged(other, "other", killedAt);
        await Promise.all(victims.map((victim) => victim.start()));
        back.push(await history.untilAcknowledged(victims[0]!, "same", killedAt));
        if (pushedElsewhere) elsewhere.push(await pushedElsewhere);
        await Promise.all(lines);
        await history.expectTrueAndAtRest();
      }
    });
    console.log(`seed ${seed}: ${history.summary(await wholeLog(one, history.repository))}`);
    console.log(`ms from the kill to a push on another device: ${elsewhere.join(" ")}`);
    console.log(`ms from the kill to a push on the same device, started at once: ${back.join(" ")}`);
  });

  it("ended database sessions lose nothing and halve nothing, and no sidecar falls", async () => {
    const history = await PushHistory.begin(cluster, ada);
    const stop = new AbortController();
    const lines = cluster.devices.flatMap((device) =>
      ["x", "y"].map((line) => history.keepPushing(device, `${device.name}-${line}`, stop.signal)),
    );
    const pids = cluster.devices.map(({ pid }) => pid);
    for (let round = 0; round < 8; round += 1) {
      const answers = history.told.length + 1 + Math.floor(6 * random());
      await vi.waitUntil(() => history.told.length >= answers, SOON);
      await administer(cluster.databaseUrl, (client) =>
        client.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and application_name like 'lockstep repo%'`,
        ),
      );
    }
    stop.abort();
    await Promise.all(lines);
    const { log } = await history.expectTrueAndAtRest();
    expect(pids.every(isAlive)).toBe(true);
    console.log(`seed ${seed}: ${history.summary(log)}`);
  });
});

describe("kill -9 of a sidecar", () => {
  it.each<[Point, string, number]>([
    ["prepared", "drops the write", 1],
    ["committed", "keeps the write", 2],
  ])("while refs are %s %s, and its successor need not wait", async (point, _, version) => {
    const history = await PushHistory.begin(cluster, ada);
    expect(await killAt(history, one, point)).toBe(version);
  });

  it("kill -9 while the database decides leaves the decision to the database", async () => {
    const history = await PushHistory.begin(cluster, ada);
    await history.untilAcknowledged(one, "held");
    const untilWaiting = async (statement: string) => {
      const waiting = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%${statement}%'`;
      const found = async () => (await administer(cluster.databaseUrl, (other) => other.query(waiting))).rowCount !== 0;
      await vi.waitUntil(found, SOON);
    };
    await administer(cluster.databaseUrl, async (client) => {
      // What a bump locks, and no other statement of a push.
      await client.query("begin; select 1 from lockstep.repository for no key update");
      const push = history.push(one, "held");
      await untilWaiting("lockstep.bump");
      await one.kill();
      expect(await push).toMatchObject({ verdict: "neither" });
      const started = one.start();
      await untilWaiting("lockstep.take_over");
      await client.query("rollback");
      await started;
    });
    // The statement outlived the process that sent it, and its successor waited for it.
    expect(await history.expectTrueAndAtRest()).toMatchObject({ version: 2 });
  });
});

describe("kill -9 of a process of the push", () => {
  /** The processes of the only push: the hook is two, one that waits and one that works. */
  async function processesOfPush(repository: string) {
    const found = await processesOf(one.gitDir(repository));
    const pick = (wanted: (running: Running) => boolean) => found.find(wanted) as Running;
    const receivePack = pick(({ command }) => /^git .*receive-pack --stateless-rpc/.test(command));
    const waits = pick(({ command, parent }) => command.includes("proc-receive") && parent === receivePack.pid);
    return {
      "receive-pack": receivePack,
      "the hook that waits": waits,
      "the hook that works": pick(({ parent }) => parent === waits.pid),
      "update-ref": pick(({ command }) => /(^|\/)git update-ref/.test(command)),
    };
  }

  it.each([
    ["receive-pack", "prepared", 0],
    ["receive-pack", "committed", 1],
    ["the hook that waits", "prepared", 0],
    ["the hook that waits", "committed", 1],
    ["the hook that works", "prepared", 0],
    ["the hook that works", "committed", 1],
  ] as const)("%s while refs are %s tells the pusher nothing false", async (name, point, landed) => {
    const history = await PushHistory.begin(cluster, ada);
    await using held = await holdPush(one, history.repository, point);
    const push = history.push(one, "held");
    await held.reached();
    process.kill((await processesOfPush(history.repository))[name].pid, "SIGKILL");
    expect(await push).toMatchObject({ verdict: "neither" });
    await held.release();
    expect(await history.expectTrueAndAtRest()).toMatchObject({ version: landed });
    expect((await history.push(one, "held")).verdict).toBe("acknowledged");
  });

  it.each([
    ["prepared", "refused", 0],
    ["committed", "acknowledged", 1],
  ] as const)("the git that writes refs while they are %s: the push is %s", async (point, verdict, landed) => {
    const history = await PushHistory.begin(cluster, ada);
    await using held = await holdPush(one, history.repository, point);
    const push = history.push(one, "held");
    await held.reached();
    process.kill((await processesOfPush(history.repository))["update-ref"].pid, "SIGKILL");
    await held.release();
    expect(await push).toMatchObject({ verdict });
    expect(await history.expectTrueAndAtRest()).toMatchObject({ version: landed });
    expect((await history.push(one, "held")).verdict).toBe("acknowledged");
  });
});
