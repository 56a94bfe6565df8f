// What a killed process leaves in a replica: lock files, which git never removes by itself, and quarantines.
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { QUARANTINE_PREFIX } from "../objects/quarantine.ts";
import { isBeingPacked } from "../refs/packing.ts";
import { isUntouched, sweepUploads } from "./uploads.ts";

/** A lock that is younger may be that of a person's git command. */
export const FOREIGN_LOCK_MS = 60_000;
/** A quarantine of git's own may belong to a slow command that outlived the sidecar; untouched for so long it does not. */
const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000;

/** No ref may end so. */
const LOCK = /\.lock$/;
/** A ref may well end like a table that is being written. */
const LOCK_OR_TABLE = /\.lock$|\.ref\.temp\.\w+$/;

/**
 * Removes lock files of refs, HEAD, packed-refs and reftable, unfinished tables and packs, and quarantines of ours, that are at
 * least `minAgeMs` old. Only for the one sidecar that holds the root's lock, while it runs nothing in this replica. With 0,
 * before its first touch, no process of ours can own what it finds; later on a young lock may be that of somebody's `git gc`.
 * Returns what was removed.
 */
export async function sweep(gitDir: string, minAgeMs: number): Promise<string[]> {
  const removed = await sweepLocks(gitDir, minAgeMs);
  const remove = remover(gitDir, minAgeMs, removed);
  for (const name of await list(join(gitDir, "objects"))) {
    if (!name.startsWith("tmp_objdir-") || name.startsWith("tmp_objdir-incoming-")) continue;
    const path = join(gitDir, "objects", name);
    if (name.startsWith(QUARANTINE_PREFIX) || (await isUntouched(path, ABANDONED_AFTER_MS))) await remove(path);
  }
  removed.push(...(await sweepUploads(gitDir)));
  // Packs that were being rolled up; a young one may be that of somebody's `git gc`.
  for (const name of await list(join(gitDir, "objects", "pack"))) {
    const path = join(gitDir, "objects", "pack", name);
    if (name.startsWith("tmp_") && (await ageMs(path)) > ABANDONED_AFTER_MS) await remove(path);
  }
  return removed;
}

/**
 * The part of `sweep` that is safe while objects arrive: lock files only, and none while a git packs the refs, for however long. The
 * caller holds the replica's mutex and no lock of git's.
 */
export async function sweepLocks(gitDir: string, minAgeMs: number): Promise<string[]> {
  const found: (string | Buffer)[] = [];
  // refs/ by hand: config.lock and the locks of a running gc are not ours to break.
  for (const name of ["HEAD.lock", "packed-refs.lock", "packed-refs.new"]) {
    if (await exists(join(gitDir, name))) found.push(join(gitDir, name));
  }
  for (const path of await findFiles(Buffer.from(join(gitDir, "refs")), LOCK)) found.push(path);
  for (const path of await findFiles(Buffer.from(join(gitDir, "reftable")), LOCK_OR_TABLE)) found.push(path);
  const removed: string[] = [];
  if (found.length === 0 || (await isBeingPacked(gitDir))) return removed;
  const remove = remover(gitDir, minAgeMs, removed);
  for (const path of found) await remove(path);
  return removed;
}

function remover(gitDir: string, minAgeMs: number, removed: string[]): (path: string | Buffer) => Promise<void> {
  return async (path) => {
    if ((await ageMs(path)) < minAgeMs) return;
    await rm(path, { recursive: true, force: true });
    removed.push(path.toString().slice(gitDir.length + 1));
  };
}

/** The files below `directory` whose names match, added to `found`. By bytes: names of refs need not be UTF-8. */
export async function findFiles(directory: Buffer, name: RegExp, found: Buffer[] = []): Promise<Buffer[]> {
  const entries = await readdir(directory, { withFileTypes: true, encoding: "buffer" }).catch(() => []);
  for (const entry of entries) {
    const path = Buffer.concat([directory, Buffer.from("/"), entry.name]);
    if (entry.isDirectory()) await findFiles(path, name, found);
    else if (name.test(entry.name.toString("latin1"))) found.push(path);
  }
  return found;
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

async function list(directory: string): Promise<string[]> {
  return await readdir(directory).catch(() => []);
}

async function ageMs(path: string | Buffer): Promise<number> {
  return await stat(path).then(
    (found) => Date.now() - found.mtimeMs,
    () => Number.POSITIVE_INFINITY,
  );
}
