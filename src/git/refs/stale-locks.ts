// Lock files that a killed process leaves among the refs of a replica. git itself never removes them.
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { exists, unlessFault } from "../../io/disk.ts";
import { isBeingPacked } from "./packing.ts";

/** A younger lock may belong to a person's git command. */
export const FOREIGN_LOCK_MS = 60_000;

/** Matches lock files; no ref may have such a name. */
const LOCK = /\.lock$/;
/** Matches lock files and unfinished tables. Only for reftable/: a ref may be named like an unfinished table. */
const LOCK_OR_TABLE = /\.lock$|\.ref\.temp\.\w+$/;

/**
 * Removes lock files of refs, HEAD, packed-refs and reftable that are at least `minAgeMs` old. While a git packs the
 * refs, it removes none. Returns the names of the removed files. The caller holds the replica's mutex and no lock of
 * git's.
 */
export async function sweepLocks(gitDir: string, minAgeMs: number): Promise<string[]> {
  const found: (string | Buffer)[] = [];
  // Only these names: config.lock and the locks of a running gc belong to others.
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

/** Returns a function that removes a path at least `minAgeMs` old, and adds its name in `gitDir` to `removed`. */
export function remover(gitDir: string, minAgeMs: number, removed: string[]): (path: string | Buffer) => Promise<void> {
  return async (path) => {
    if ((await ageMs(path)) < minAgeMs) return;
    await rm(path, { recursive: true, force: true });
    removed.push(path.toString().slice(gitDir.length + 1));
  };
}

/**
 * Returns the files below `directory` whose names match, added to `found`. Paths are bytes: names of refs need not be
 * UTF-8.
 */
export async function findFiles(directory: Buffer, name: RegExp, found: Buffer[] = []): Promise<Buffer[]> {
  const entries = (await readdir(directory, { withFileTypes: true, encoding: "buffer" }).catch(unlessFault)) ?? [];
  for (const entry of entries) {
    const path = Buffer.concat([directory, Buffer.from("/"), entry.name]);
    if (entry.isDirectory()) await findFiles(path, name, found);
    else if (name.test(entry.name.toString("latin1"))) found.push(path);
  }
  return found;
}

/** Returns the milliseconds since a file was last changed; infinity for a missing file. */
export async function ageMs(path: string | Buffer): Promise<number> {
  return await stat(path).then(
    (found) => Date.now() - found.mtimeMs,
    () => Number.POSITIVE_INFINITY,
  );
}
