// Files that a killed process leaves in a replica: lock files and quarantines.
import { join } from "node:path";
import { namesIn } from "../../io/disk.ts";
import { QUARANTINE_PREFIX } from "../objects/quarantine.ts";
import { VIEW_PREFIX } from "../packs/pack-view.ts";
import { ageMs, remover, sweepLocks } from "../refs/stale-locks.ts";
import { isUntouched, sweepUploads } from "./uploads.ts";

/**
 * A quarantine of git's own may belong to a slow command that outlived the sidecar. After this long without a change it
 * does not.
 */
const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000;

/**
 * Removes leftovers that are at least `minAgeMs` old: lock files of refs, HEAD, packed-refs and reftable, unfinished
 * tables and packs, and our quarantines. Returns what it removed. Only the sidecar that holds the root's lock may call
 * it, while it runs nothing in this replica. Before the first touch of the replica `minAgeMs` may be 0: then no process
 * of ours owns a leftover. Later a young lock may belong to somebody's `git gc`. `collecting`: this process runs a gc
 * here, so its view stays.
 */
export async function sweep(
  gitDir: string,
  minAgeMs: number,
  { collecting = false, ownAgeMs = minAgeMs }: { collecting?: boolean; ownAgeMs?: number } = {},
): Promise<string[]> {
  const removed = await sweepLocks(gitDir, minAgeMs);
  const remove = remover(gitDir, minAgeMs, removed);
  const removeOwn = remover(gitDir, ownAgeMs, removed);
  for (const name of await namesIn(join(gitDir, "objects"))) {
    if (!name.startsWith("tmp_objdir-") || name.startsWith("tmp_objdir-incoming-")) continue;
    if (collecting && name.startsWith(VIEW_PREFIX)) continue;
    const path = join(gitDir, "objects", name);
    if (name.startsWith(QUARANTINE_PREFIX)) await removeOwn(path);
    else if (await isUntouched(path, ABANDONED_AFTER_MS)) await remove(path);
  }
  removed.push(...(await sweepUploads(gitDir)));
  // Packs that were being rolled up. A young one may belong to somebody's `git gc`.
  for (const name of await namesIn(join(gitDir, "objects", "pack"))) {
    const path = join(gitDir, "objects", "pack", name);
    if (name.startsWith("tmp_") && (await ageMs(path)) > ABANDONED_AFTER_MS) await remove(path);
  }
  return removed;
}
