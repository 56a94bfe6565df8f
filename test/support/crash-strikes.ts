// Shared by the tests of crash points (test/e2e/crash-points-*.test.ts): a cluster, and the processes that may die
// there.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, vi } from "vitest";
import { CRASH_POINTS, type CrashPoint } from "../../src/crash-points.ts";
import { administer } from "./administer.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import type { Device } from "./cluster-device.ts";
import { Holdable, killProcesses } from "./crash-points.ts";
import { isAlive } from "./processes.ts";
import type { PushHistory } from "./push-history.ts";
import { type Pusher, pusher } from "./pusher.ts";
import { soon } from "./soon.ts";

// `startClusterToStrike` sets these before the first test of its file.
export let cluster: Cluster;
export let one: Holdable;
export let two: Holdable;
export let three: Device;
export let ada: Pusher;

/** Starts three devices before the tests of the calling file and stops them afterwards. Two of them can be held. */
export function startClusterToStrike(): void {
  beforeAll(async () => {
    cluster = await startCluster();
    const [first, second, third] = cluster.devices as [Device, Device, Device];
    [one, two, three] = [new Holdable(first, cluster.dir), new Holdable(second, cluster.dir), third];
    await Promise.all([one.restart(), two.restart()]);
    ada = await pusher(cluster.git, "ada");
  });
  afterAll(async () => await cluster?.[Symbol.asyncDispose]());
  // A failed test may leave a sidecar dead.
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

/** The victims that may die while `device` works in `gitDir`, each with the function that kills it. */
const STRIKES = {
  sidecar: async (device: Device) => await device.kill(),
  "receive-pack": async (_: Device, gitDir: string) => await killProcesses(gitDir, /receive-pack --stateless-rpc/),
  // The hook is two processes, so that git never takes the death of one for an answer. The death of both at once may
  // be.
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

/** Kills `victim` on the held device, calls `release`, and restarts the sidecar if it died. */
export async function strike(holdable: Holdable, repository: string, victim: Victim, release: () => Promise<void>) {
  await STRIKES[victim](holdable.device, holdable.device.gitDir(repository));
  await release();
  if (!isAlive(holdable.device.pid)) await holdable.restart();
}

/** Pushes after a strike. The push must succeed at once, without help of an operator. */
export async function nextPush(history: PushHistory, device: Device, line: string, victim: Victim): Promise<void> {
  // If a push got a new database connection just before all of them were ended, it is told to try again.
  if (victim === "database") await history.untilAcknowledged(device, line);
  else await history.expectAcknowledged(device, line);
}

/** How long a device that was struck may take until it has done its part. */
export const SOON = soon();

/** Asks a device for a command, through another one. Returns its id. */
export async function enqueue(command: string, repository: string, { name }: Device): Promise<string> {
  const { document } = await three.lockstep("command", "enqueue", command, repository, "--device", name);
  return document.commands[0].id;
}

/** Returns a command as `lockstep command show` prints it. */
export const shownCommand = async (id: string) => (await three.lockstep("command", "show", id)).document;

/** Waits until a command has its outcome, and returns it. */
export async function endedCommand(id: string): ReturnType<typeof shownCommand> {
  return await vi.waitUntil(async () => {
    const shown = await shownCommand(id);
    return shown.ended_at !== null && shown;
  }, SOON);
}

export const points = (kind: keyof typeof CRASH_POINTS): CrashPoint[] =>
  CRASH_POINTS[kind].map((point) => `${kind}.${point}` as CrashPoint);
export const cases = (all: readonly CrashPoint[], victims: readonly Victim[]): [CrashPoint, Victim][] =>
  all.flatMap((point) => victims.map((victim): [CrashPoint, Victim] => [point, victim]));

export const UPLOADERS: readonly Victim[] = ["receive-pack", "hook that works", "hook that waits"];

export const git = async (path: string, ...args: string[]) =>
  (await promisify(execFile)("git", args, { env: { ...process.env, GIT_DIR: path } })).stdout.trim();
