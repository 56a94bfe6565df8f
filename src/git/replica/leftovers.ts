// What a killed process leaves in a replica: lock files, and quarantines.
import { join } from "node:path";
import { namesIn } from "../../io/disk.ts";
import { QUARANTINE_PREFIX } from "../objects/quarantine.ts";
import { ageMs, remover, sweepLocks } from "../refs/stale-locks.ts";
import { isUntouched, sweepUploads } from "./uploads.ts";

/** A quarantine of git's own may belong to a slow command that outlived the sidecar; untouched for so long it does not. */
const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000;

/**
 * Removes lock files of refs, HEAD, packed-refs and reftable, unfinished tables and packs, and quarantines of ours, that are at
 * least `minAgeMs` old. Only for the one sidecar that holds the root's lock, while it runs nothing in this replica. With 0,
 * before its first touch, no process of ours can own what it finds; later on a young lock may be that of somebody's `git gc`.
 * Returns what was removed.
 */
export async function sweep(gitDir: string, minAgeMs: number): Promise<string[]> {
  const removed = await sweepLocks(gitDir, minAgeMs);
  const remove = remover(gitDir, minAgeMs, removed);
  for (const name of await namesIn(join(gitDir, "objects"))) {
    if (!name.startsWith("tmp_objdir-") || name.startsWith("tmp_objdir-incoming-")) continue;
    const path = join(gitDir, "objects", name);
    if (name.startsWith(QUARANTINE_PREFIX) || (await isUntouched(path, ABANDONED_AFTER_MS))) await remove(path);
  }
  removed.push(...(await sweepUploads(gitDir)));
  // Packs that were being rolled up; a young one may be that of somebody's `git gc`.
  for (const name of await namesIn(join(gitDir, "objects", "pack"))) {
    const path = join(gitDir, "objects", "pack", name);
    if (name.startsWith("tmp_") && (await ageMs(path)) > ABANDONED_AFTER_MS) await remove(path);
  }
  return removed;
}
