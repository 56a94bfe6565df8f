// What the tests of crash points share (test/e2e/crash-points-*.test.ts): a cluster, and everything that may die there.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll } from "vitest";
import { CRASH_POINTS, type CrashPoint } from "../../src/crash-points.ts";
import { administer } from "./administer.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import type { Device } from "./cluster-device.ts";
import { Holdable, killProcesses } from "./crash-points.ts";
import { isAlive } from "./processes.ts";
import type { PushHistory } from "./push-history.ts";
import { type Pusher, pusher } from "./pusher.ts";

// Set before the first test of the file that called `startClusterToStrike`.
export let cluster: Cluster;
export let one: Holdable;
export let two: Holdable;
export let three: Device;
export let ada: Pusher;

/** Starts three devices before the tests of the calling file, two of which can be held, and stops them after. */
export function startClusterToStrike(): void {
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
}

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
export type Victim = keyof typeof STRIKES;

/** Strikes at a device that is held, brings back what died, lets go what lives. */
export async function strike(holdable: Holdable, repository: string, victim: Victim, release: () => Promise<void>) {
  await STRIKES[victim](holdable.device, holdable.device.gitDir(repository));
  await release();
  if (!isAlive(holdable.device.pid)) await holdable.restart();
}

/** The push after a strike: nobody has to help, and nobody has to wait. */
export async function nextPush(history: PushHistory, device: Device, line: string, victim: Victim): Promise<void> {
  // Whoever had just got a new connection to the database when all were ended is told to try again.
  if (victim === "database") await history.untilAcknowledged(device, line);
  else await history.expectAcknowledged(device, line);
}

export const points = (kind: keyof typeof CRASH_POINTS): CrashPoint[] =>
  CRASH_POINTS[kind].map((point) => `${kind}.${point}` as CrashPoint);
export const cases = (all: readonly CrashPoint[], victims: readonly Victim[]): [CrashPoint, Victim][] =>
  all.flatMap((point) => victims.map((victim): [CrashPoint, Victim] => [point, victim]));

export const UPLOADERS: readonly Victim[] = ["receive-pack", "hook that works", "hook that waits"];

export const git = async (path: string, ...args: string[]) =>
  (await promisify(execFile)("git", args, { env: { ...process.env, GIT_DIR: path } })).stdout.trim();
