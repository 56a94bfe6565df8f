// Parts of a replica, or all of it, that are gone behind a running sidecar.
import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { oneAtATime, readsAll } from "./disk-faults.ts";
import type { Make } from "./fault-context.ts";

/**
 * Without one of them git fails, so it is seen by everyone. What makes git answer as if nothing were wrong (a ref deleted by hand) is not
 * here: a read that git has begun cannot be taken back.
 */
const PARTS = ["HEAD", "config"];

/**
 * HEAD or the settings are deleted, or the directory is moved away and comes back in place of what was made instead. Where everything
 * is on two devices the directory, or its objects, may also be gone for good.
 */
export const losePart: Make = async ({ cluster, minCopies }, { repository, lasts, choice }, { host }) => {
  const gitDir = host.gitDir(repository);
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
    // At once, as by a mount that goes away.
    await rename(lost, `${gitDir}.lost`);
    await rm(`${gitDir}.lost`, { recursive: true, force: true });
    return await readsAll(cluster, host);
  });
};
