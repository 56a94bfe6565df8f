// Every named step of a push, a session, a catch-up and a recovery, with everything that may die there: afterwards nothing is lost,
// nothing is halved, nothing is left over, and the next push works without anybody's help.
import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { CRASH_POINTS, type CrashPoint } from "../../src/crash-points.ts";
import { LockstepError } from "../../src/errors.ts";
import { administer } from "../support/administer.ts";
import { expectAtRest } from "../support/at-rest.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { type Device, PATIENCE } from "../support/cluster-device.ts";
import { Holdable, killProcesses } from "../support/crash-points.ts";
import { isAlive } from "../support/processes.ts";
import { PushHistory } from "../support/push-history.ts";
import { type Pusher, pusher } from "../support/pusher.ts";

let cluster: Cluster;
let one: Holdable;
let two: Holdable;
let three: Device;
let ada: Pusher;
beforeAll(async () => {
  cluster = await startCluster();
  const [first, second, third] = cluster.devices as [Device, Device, Device];
  [one, two, three] = [new Holdable(first, cluster.dir), new Holdable(second, cluster.dir), third];
  await Promise.all([one.restart(), two.restart()]);
  ada = await pusher(cluster.git, "ada");
});
afterAll(async () => await cluster?.[Symbol.asyncDispose]());
// What a test that failed left dead.
afterEach(async () => {
  for (const each of [one, two]) if (!isAlive(each.device.pid)) await each.restart();
});

const endDatabaseSessions = () =>
  administer(cluster.databaseUrl, (client) =>
    client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name like 'lockstep repo%'`,
    ),
  );

/** What may die while `device` works in `gitDir`. */
const STRIKES = {
  sidecar: async (device: Device) => await device.kill(),
  "receive-pack": async (_: Device, gitDir: string) => await killProcesses(gitDir, /receive-pack --stateless-rpc/),
  // The hook is two processes, so that the death of one is never taken for an answer. That of both at once may be.
  "hook that works": async (_: Device, gitDir: string) => await killProcesses(gitDir, /proc-receive/, /proc-receive/),
  "hook that waits": async (_: Device, gitDir: string) => await killProcesses(gitDir, /proc-receive/, /receive-pack/),
  "update-ref": async (_: Device, gitDir: string) => await killProcesses(gitDir, /^git .*update-ref/),
  database: async () => void (await endDatabaseSessions()),
  device: async (device: Device, gitDir: string) => {
    await device.kill();
    await killProcesses(gitDir, /./).catch(() => {});
  },
} as const;
type Victim = keyof typeof STRIKES;

/** Strikes at a device that is held, brings back what died, lets go what lives. */
async function strike(holdable: Holdable, repository: string, victim: Victim, release: () => Promise<void>) {
  await STRIKES[victim](holdable.device, holdable.device.gitDir(repository));
  await release();
  if (!isAlive(holdable.device.pid)) await holdable.restart();
}

/** The push after a strike: nobody has to help, and nobody has to wait. */
async function nextPush(history: PushHistory, device: Device, line: string, victim: Victim): Promise<void> {
  // Whoever had just got a new connection to the database when all were ended is told to try again.
  if (victim === "database") await history.untilAcknowledged(device, line);
  else await history.expectAcknowledged(device, line);
}

const points = (kind: keyof typeof CRASH_POINTS): CrashPoint[] =>
  CRASH_POINTS[kind].map((point) => `${kind}.${point}` as CrashPoint);
const cases = (all: readonly CrashPoint[], victims: readonly Victim[]): [CrashPoint, Victim][] =>
  all.flatMap((point) => victims.map((victim): [CrashPoint, Victim] => [point, victim]));

/** Steps after which the write has landed whatever happens, and before which it has not. */
const DECIDED = points("push").slice(points("push").indexOf("push.decided"));

const UPLOADERS: readonly Victim[] = ["receive-pack", "hook that works", "hook that waits"];

describe("a push at", () => {
  const LOCKED = points("push").filter((point) => /prepared|synced|deciding|decided/.test(point));

  it.each([
    ...cases(points("push"), ["sidecar", "receive-pack", "hook that works", "hook that waits", "database", "device"]),
    ...cases(LOCKED, ["update-ref"]),
  ])("%s survives the death of its %s", async (point, victim) => {
    const history = await PushHistory.begin(cluster, ada);
    await history.untilAcknowledged(one.device, "held");
    await using held = await one.hold(point);
    const push = history.push(one.device, "held");
    await held.reached();
    await strike(one, history.repository, victim, held.release);
    const { verdict } = await push;
    const { version } = await one.device.call("BeforeRead", { repository: history.repository }, PATIENCE);
    if (DECIDED.includes(point)) {
      expect(version).toBe("2");
      expect(verdict).not.toBe("refused");
    } else if (UPLOADERS.includes(victim)) {
      // Whether the pusher is still there is asked once more, a moment before the decision; news of a death may come later than that.
      expect(verdict).not.toBe("acknowledged");
      if (version !== "1") expect(verdict).toBe("neither");
    } else if (victim !== "database" && victim !== "update-ref") {
      expect(verdict).not.toBe("acknowledged");
      expect(version).toBe("1");
    }
    await nextPush(history, one.device, "held", victim);
    await nextPush(history, three, "held", victim);
    await history.expectTrueAndAtRest();
  });
});

describe("where refs make room for others below them, refs.cleared", () => {
  const made = async () => {
    const repository = await cluster.createRepository();
    const first = await ada.commit();
    await ada.land(one.device.url(repository), `${first}:refs/heads/topic`);
    await two.device.call("BeforeRead", { repository }, PATIENCE);
    return { repository, first };
  };
  const expectMoved = async (repository: string, first: string) => {
    const { version, refs } = await expectAtRest(cluster, repository);
    expect([...refs]).toEqual([["refs/heads/topic/a", first]]);
    expect(version).toBe(2);
    await ada.land(three.url(repository), `${first}:refs/heads/next`);
    await expectAtRest(cluster, repository);
  };

  it.each<Victim>(["sidecar", "receive-pack", "database", "device"])(
    "of a push survives the death of its %s: all of it has landed",
    async (victim) => {
      const { repository, first } = await made();
      await using held = await one.hold("refs.cleared");
      const push = ada.push(one.device.url(repository), ":refs/heads/topic", `${first}:refs/heads/topic/a`);
      await held.reached();
      await strike(one, repository, victim, held.release);
      expect((await push).stderr).not.toMatch(/rejected/);
      await expectMoved(repository, first);
    },
  );

  it.each<Victim>(["sidecar", "database", "device"])("of a session survives the death of its %s", async (victim) => {
    const { repository, first } = await made();
    const { token, path } = await one.device.call("BeginWrite", { repository, author: "grace" }, PATIENCE);
    await git(path, "branch", "-m", "topic", "topic/a");
    await using held = await one.hold("refs.cleared");
    const bump = () => one.device.call("BumpVersion", { repository, token }, PATIENCE);
    const landing = bump().catch(() => {});
    await held.reached();
    await strike(one, repository, victim, held.release);
    await landing;
    expect(await bump()).toMatchObject({ version: "2", refsChanged: 2 });
    await expectMoved(repository, first);
  });

  it.each<Victim>(["sidecar", "database", "device"])("of a catch-up survives the death of its %s", async (victim) => {
    const { repository, first } = await made();
    await using held = await two.hold("refs.cleared");
    await ada.land(one.device.url(repository), ":refs/heads/topic", `${first}:refs/heads/topic/a`);
    await held.reached();
    await strike(two, repository, victim, held.release);
    await two.device.call("BeforeRead", { repository }, PATIENCE);
    await expectMoved(repository, first);
  });
});

describe("a push that wants copies at", () => {
  const hasOnAllDevices = async (repository: string, commit: string) => {
    for (const device of cluster.devices) await git(device.gitDir(repository), "cat-file", "-e", commit);
  };

  it.each(cases(["copies.fetched", "copies.kept"], ["sidecar", "database", "device"]))(
    "%s survives the death of the %s that makes one",
    async (point, victim) => {
      const history = await PushHistory.begin(cluster, ada, 3);
      await history.untilAcknowledged(one.device, "line");
      await using held = await two.hold(point);
      const push = history.push(one.device, "line");
      await held.reached();
      await strike(two, history.repository, victim, held.release);
      const { commit, verdict } = await push;
      // Whoever is told that it landed may lose any two devices from now on.
      if (verdict === "acknowledged") await hasOnAllDevices(history.repository, commit);
      await history.untilAcknowledged(one.device, "line");
      await hasOnAllDevices(history.repository, history.told.at(-1)!.commit);
      await history.expectTrueAndAtRest();
    },
  );

  it.each(cases(["copies.made"], ["sidecar", ...UPLOADERS, "database", "device"]))(
    "%s survives the death of its %s",
    async (point, victim) => {
      const history = await PushHistory.begin(cluster, ada, 2);
      await history.untilAcknowledged(one.device, "line");
      await using held = await one.hold(point);
      const push = history.push(one.device, "line");
      await held.reached();
      await strike(one, history.repository, victim, held.release);
      const { verdict } = await push;
      if (victim !== "database") expect(verdict).not.toBe("acknowledged");
      await history.untilAcknowledged(one.device, "line");
      await history.expectTrueAndAtRest();
    },
  );
});

describe("a catch-up at", () => {
  const ARRIVING = points("catch-up").slice(0, 2);

  it.each(cases(points("catch-up"), ["sidecar", "database", "device"]))(
    "%s survives the death of its %s",
    async (point, victim) => {
      const history = await PushHistory.begin(cluster, ada);
      await history.untilAcknowledged(one.device, "line");
      await two.device.call("BeforeRead", { repository: history.repository }, PATIENCE);
      await using held = await two.hold(point);
      await history.untilAcknowledged(one.device, "line");
      await held.reached();
      await strike(two, history.repository, victim, held.release);
      await nextPush(history, two.device, "line", victim);
      await history.expectTrueAndAtRest();
    },
  );

  it.each(ARRIVING)("%s survives the death of the device that it fetches from", async (point) => {
    const history = await PushHistory.begin(cluster, ada);
    await history.untilAcknowledged(one.device, "line");
    await two.device.call("BeforeRead", { repository: history.repository }, PATIENCE);
    await using held = await two.hold(point);
    await history.untilAcknowledged(one.device, "line");
    await three.call("BeforeRead", { repository: history.repository }, PATIENCE);
    await held.reached();
    await one.device.kill();
    await held.release();
    // Another device has it.
    await two.device.call("BeforeRead", { repository: history.repository }, PATIENCE);
    await one.restart();
    expect(await history.expectTrueAndAtRest()).toMatchObject({ version: 2 });
  });
});

describe("a recovery at", () => {
  it.each(cases(points("recovery"), ["sidecar", "database", "device"]))(
    "%s survives the death of its %s",
    async (point, victim) => {
      const history = await PushHistory.begin(cluster, ada);
      await history.untilAcknowledged(one.device, "line");
      // Killed with half of its work done, and with its notes gone, it must compare everything.
      const half = await one.hold("push.committed");
      const push = history.push(one.device, "line");
      await half.reached();
      await one.device.kill();
      await half.release();
      await push;
      await rm(join(one.device.gitDir(history.repository), "lockstep.version"), { force: true });
      await using held = await one.hold(point);
      await one.restart();
      await held.reached();
      await strike(one, history.repository, victim, held.release);
      await nextPush(history, one.device, "line", victim);
      expect(await history.expectTrueAndAtRest()).toMatchObject({ version: 3 });
    },
  );
});

const git = async (path: string, ...args: string[]) =>
  (await promisify(execFile)("git", args, { env: { ...process.env, GIT_DIR: path } })).stdout.trim();

describe("a write session at", () => {
  const BEGINNING = points("session").slice(0, 3);
  const LANDING: CrashPoint[] = ["session.taken", ...points("push").slice(2, 8), "session.landed"];

  it.each(cases(BEGINNING, ["sidecar", "database", "device"]))(
    "%s survives the death of its %s",
    async (point, victim) => {
      const repository = await cluster.createRepository();
      await using held = await one.hold(point);
      const begun = one.device.call("BeginWrite", { repository, author: "grace", reason: "testing" }, PATIENCE);
      begun.catch(() => {});
      await held.reached();
      await strike(one, repository, victim, held.release);
      const session = await begun.catch(() => undefined);
      if (session) await one.device.call("AbortWrite", { repository, token: session.token }, PATIENCE);
      await ada.land(one.device.url(repository), `${await ada.commit()}:refs/heads/main`);
      await ada.land(three.url(repository), `${await ada.commit()}:refs/heads/other`);
      await expectAtRest(cluster, repository);
    },
  );

  it.each(cases(LANDING, ["sidecar", "database", "device"]))(
    "%s survives the death of its %s",
    async (point, victim) => {
      const repository = await cluster.createRepository();
      const first = await ada.commit();
      await ada.land(one.device.url(repository), `${first}:refs/heads/main`, `${first}:refs/heads/topic`);
      const { token, path } = await one.device.call("BeginWrite", { repository, author: "grace" }, PATIENCE);
      await git(path, "update-ref", "-d", "refs/heads/topic");
      await git(path, "update-ref", "refs/tags/made", first);
      await using held = await one.hold(point);
      const bump = () => one.device.call("BumpVersion", { repository, token }, PATIENCE);
      const landing = bump().catch((error: unknown) => error);
      await held.reached();
      await strike(one, repository, victim, held.release);
      const told = await landing;
      // Whatever the caller was told, asking again tells what is true.
      const again = await bump().catch((error: unknown) => error);
      const { refs, version } = await expectAtRest(cluster, repository);
      const landed = refs.has("refs/tags/made");
      expect(refs.has("refs/heads/topic")).toBe(!landed);
      expect(version).toBe(landed ? 2 : 1);
      if (landed) expect(again).toMatchObject({ version: "2", refsChanged: 2 });
      else expect(again).toMatchObject({ code: "WRITE_DROPPED" });
      if (!(told instanceof LockstepError)) expect(landed).toBe(true);
      if (told instanceof LockstepError && told.code === "WRITE_DROPPED") expect(landed).toBe(false);
      await ada.land(three.url(repository), `${await ada.commit()}:refs/heads/next`);
      await expectAtRest(cluster, repository);
    },
  );

  it.each(["sidecar", "database", "device"] as const)(
    "session.kept survives the death of its %s, and what it changed is kept",
    async (victim) => {
      const repository = await cluster.createRepository();
      const first = await ada.commit();
      await ada.land(one.device.url(repository), `${first}:refs/heads/main`);
      const { token, path, writeId } = await one.device.call("BeginWrite", { repository, author: "grace" }, PATIENCE);
      await git(path, "update-ref", "refs/tags/made", first);
      await using held = await one.hold("session.kept");
      const aborting = one.device.call("AbortWrite", { repository, token }, PATIENCE).catch(() => {});
      await held.reached();
      await strike(one, repository, victim, held.release);
      await aborting;
      const kept = `refs/lockstep/dropped/${writeId}/tags/made`;
      expect(await git(one.device.gitDir(repository), "-c", "safe.directory=*", "rev-parse", kept)).toBe(first);
      await ada.land(three.url(repository), `${await ada.commit()}:refs/heads/next`);
      await expectAtRest(cluster, repository);
    },
  );
});

describe("work on the files of a replica at", () => {
  it.each(cases(points("live"), ["sidecar", "database", "device"]))(
    "%s survives the death of its %s, and what was changed has landed or is kept",
    async (point, victim) => {
      const repository = await cluster.createRepository();
      const first = await ada.commit();
      await ada.land(one.device.url(repository), `${first}:refs/heads/main`);
      await two.device.call("BeforeRead", { repository }, PATIENCE);
      await using held = await one.hold(point);
      const beginning = one.device.call("BeginWrite", { repository, author: "grace", live: true }, PATIENCE);
      beginning.catch(() => {});
      if (point === "live.noted") {
        await held.reached();
        await strike(one, repository, victim, held.release);
      }
      const session = await beginning.catch(() => undefined);
      if (session) {
        const { token, path, writeId } = session;
        await git(path, "update-ref", "refs/tags/made", first);
        const bump = () => one.device.call("BumpVersion", { repository, token }, PATIENCE).catch((error) => error);
        const landing = bump();
        if (point === "live.moved") {
          await held.reached();
          await strike(one, repository, victim, held.release);
        }
        await landing;
        const again = await bump();
        const { refs } = await expectAtRest(cluster, repository);
        if (refs.has("refs/tags/made")) expect(again).toMatchObject({ version: "2", refsChanged: 1 });
        else {
          expect(again).toMatchObject({ code: "WRITE_DROPPED" });
          const { savedRefs } = await one.device.call("AbortWrite", { repository, token }, PATIENCE);
          expect(savedRefs).toEqual([`refs/lockstep/dropped/${writeId}/tags/made`]);
        }
      }
      await ada.land(one.device.url(repository), `${await ada.commit()}:refs/heads/next`);
      await ada.land(three.url(repository), `${await ada.commit()}:refs/heads/other`);
      await expectAtRest(cluster, repository);
    },
  );
});
