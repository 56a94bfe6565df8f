// Makes faults on the disks of devices.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { administer } from "../support/administer.ts";
import type { TortureCluster } from "./cluster.ts";
import type { SupervisedDevice } from "./device.ts";
import type { Make } from "./fault-context.ts";
import { pathOf } from "./odd-names.ts";

const run = promisify(execFile);
/** The age of a lock that is put down. A sidecar treats a lock older than a minute as abandoned. */
const LOCK_AGE_MS = 10 * 60_000;
const GC_MS = 60_000;
/** A new disk has to wait for the lease of the old one. */
const WHOLE_AGAIN_MS = 120_000;
const RETRY_MS = 200;
const NO_DISK = "not possible: this user may not mount";
const CALL_MS = 10_000;
const GC = [
  ["gc", "--quiet"],
  ["repack", "-d", "--quiet"],
  ["pack-refs", "--all", "--prune"],
];

export const oldLock: Make = async ({ activeRef, locks, placed }, { device, repository, choice }, { host }) =>
  await placed.hold(repository, async () => {
    const ref = choice < 0.15 ? "packed-refs" : activeRef(repository, choice);
    const gitDir = host.gitDir(placed.nameOf(repository));
    const path = pathOf(join(gitDir, `${ref}.lock`));
    // After the loss of a disk, a directory made here would block the new replica.
    if (!existsSync(join(gitDir, "HEAD"))) return "no repository is there";
    await mkdir(dirname(path.toString("latin1")), { recursive: true });
    try {
      await writeFile(path, "", { flag: "wx" });
    } catch {
      return `${ref} was locked`;
    }
    const old = new Date(Date.now() - LOCK_AGE_MS);
    // The sidecar may have found and removed the lock already.
    await utimes(path, old, old).catch(() => {});
    locks.push({ device, repository, ref });
    return ref;
  });

/** Resolves to whether the device that last lost its disk has all its data again. */
let wholeAgain: Promise<boolean> = Promise.resolve(true);

/**
 * Calls `lose` when the previously lost disk is whole again. With two copies of everything, only one may be lost at a
 * time. `lose` resolves to whether its device has all data again.
 */
export async function oneAtATime(lose: () => Promise<boolean>): Promise<string> {
  wholeAgain = wholeAgain.then((whole) => whole && lose());
  return (await wholeAgain)
    ? "lost, and whole again"
    : "not whole again in time, or left out because another one is not";
}

/** Returns whether a device can serve every repository that it holds in time. */
export async function readsAll({ databaseUrl }: TortureCluster, { device }: SupervisedDevice): Promise<boolean> {
  const repositories = await administer(databaseUrl, async (db) => {
    const { rows } = await db.query<{ name: string }>(
      `select r.name from lockstep.repository r join lockstep.replica p on p.repository_id = r.id
         where p.device = $1 and p.state in ('pending', 'active', 'broken')`,
      [device.name],
    );
    return rows.map(({ name }) => name);
  });
  const deadline = Date.now() + WHOLE_AGAIN_MS;
  for (const repository of repositories) {
    const read = () => device.call("BeforeRead", { repository }, { timeoutMs: CALL_MS });
    while (!(await read().then(Boolean, () => false))) {
      if (Date.now() > deadline) return false;
      await delay(RETRY_MS);
    }
  }
  return true;
}

export const loseDisk: Make = async ({ cluster }, { lasts }, { host }) =>
  await oneAtATime(async () => {
    await host.killAll();
    const { root } = host.device.demo;
    for (const name of await readdir(root)) await rm(join(root, name), { recursive: true });
    await delay(lasts);
    host.start();
    return await readsAll(cluster, host);
  });

export const fullDisk: Make = async ({ cluster }, { lasts }, { host }) => {
  const disk = cluster.disks.get(host.device.demo.root);
  if (disk === undefined) return NO_DISK;
  const taken = await disk.fill();
  await delay(lasts);
  await disk.drain();
  return `${taken} MB`;
};

export const losePower: Make = async ({ cluster }, { lasts }, { host }) => {
  const disk = cluster.disks.get(host.device.demo.root);
  if (disk === undefined) return NO_DISK;
  const killed = await host.killAll();
  await disk.losePower();
  await delay(lasts);
  host.start();
  return `${killed} processes`;
};

export const collectGarbage: Make = async ({ placed }, { repository, choice }, { host }) => {
  const args = GC[Math.floor(choice * GC.length)]!;
  const env = { PATH: process.env.PATH ?? "/usr/bin:/bin", HOME: host.home, GIT_CONFIG_NOSYSTEM: "1" };
  const cwd = host.gitDir(placed.nameOf(repository));
  if (!existsSync(cwd)) return "no repository is there";
  return await run("git", ["-c", "safe.directory=*", ...args], { cwd, env, timeout: GC_MS }).then(
    () => args.join(" "),
    (error: { stderr?: string }) => `${args.join(" ")} failed: ${error.stderr?.trim().slice(-200)}`,
  );
};
