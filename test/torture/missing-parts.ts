// Removes parts of a replica, or all of it, while the sidecar runs.
import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Member } from "./cluster.ts";
import { oneAtATime, readsAll } from "./disk-faults.ts";
import type { FaultContext, Make } from "./fault-context.ts";
import type { PlannedFault } from "./fault-schedule.ts";

/**
 * The parts without which git fails, so that everyone notices. A ref deleted by hand is left out, because git then answers
 * as if nothing were wrong. A read that git has begun cannot be taken back.
 */
const PARTS = ["HEAD", "config"];

/**
 * Deletes HEAD or the settings. Or moves the directory away, and later back in the place of its replacement. If
 * everything is on two devices, may also remove the directory or its objects for good.
 */
export const losePart: Make = async (context, fault, member) =>
  await context.placed.hold(fault.repository, async () => await lose(context, fault, member));

const lose = async (
  { cluster, minCopies, placed }: FaultContext,
  { repository, device, lasts, choice }: PlannedFault,
  { host }: Member,
): Promise<string> => {
  const gitDir = host.gitDir(placed.nameOf(repository));
  // A directory that comes back after its device has given the copy up belongs to nobody.
  if (!placed.holdersOf(repository)?.includes(device)) return "no repository is there";
  if (!existsSync(join(gitDir, "HEAD"))) return "no repository is there";
  if (choice < 0.3) {
    const part = PARTS[Math.floor((choice / 0.3) * PARTS.length)]!;
    await rm(join(gitDir, part), { force: true });
    return `${part} of ${repository}`;
  }
  if (choice < 0.6 || minCopies < 2) {
    const [away, instead] = [`${gitDir}.away`, `${gitDir}.instead`];
    await rename(gitDir, away);
    await delay(lasts);
    if (existsSync(gitDir)) await rename(gitDir, instead);
    await rename(away, gitDir);
    await rm(instead, { recursive: true, force: true });
    return `${repository} moved away and back`;
  }
  return await oneAtATime(async () => {
    const lost = choice < 0.8 ? join(gitDir, "objects") : gitDir;
    // The directory goes at once, as when a mount goes away.
    await rename(lost, `${gitDir}.lost`);
    await rm(`${gitDir}.lost`, { recursive: true, force: true });
    return await readsAll(cluster, host);
  });
};
