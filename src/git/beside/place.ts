// What lies at the place of a replica. A push may be under way when its replica is removed or renamed. Its git goes on
// in the moved directory, but names the place of the new objects by the old path. So when the pack has come, git makes
// that path anew. The push then fails, and what git has made there is of no use to anybody.
import type { Dirent } from "node:fs";
import { lstat, readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { exists, moveDirectory, unlessFault } from "../../io/disk.ts";
import { LEFT_BY_UPLOAD } from "./uploads.ts";

/** Returns true when something is at a place. Leftovers of pushes to a replica that has moved do not count. */
export async function isTaken(gitDir: string): Promise<boolean> {
  return (await exists(gitDir)) && (await uploadsAlone(gitDir)) === undefined;
}

/** Removes what pushes left at a place after its replica had moved. Does nothing if anything else is there. */
export async function clearPlace(gitDir: string): Promise<void> {
  const left = await uploadsAlone(gitDir);
  if (left === undefined) return;
  for (const path of left) await rm(path, { recursive: true, force: true });
  // A git that still runs there may have made something more. The next call removes it.
  for (const path of [join(gitDir, "objects"), gitDir]) await rmdir(path).catch(() => {});
}

/** The errors of a move to a place where something is. */
const OCCUPIED = ["ENOTEMPTY", "EEXIST", "ENOTDIR"];
/** A push leaves something once. So many of them do not end in the same moment. */
const MOVES = 10;

/**
 * Moves the directory of a replica to its place, durably. A push may leave something there at any moment; that is
 * removed. Fails if anything else is there.
 */
export async function moveToPlace(from: string, place: string): Promise<void> {
  for (let move = 1; ; move += 1) {
    await clearPlace(place);
    try {
      return await moveDirectory(from, place);
    } catch (error) {
      const isOccupied = OCCUPIED.includes((error as NodeJS.ErrnoException).code ?? "");
      if (!isOccupied || move === MOVES || (await isTaken(place))) throw error;
    }
  }
}

/** Returns the quarantines of uploads in a directory that has nothing else. undefined: it has something else. */
async function uploadsAlone(gitDir: string): Promise<string[] | undefined> {
  const objects = join(gitDir, "objects");
  const isDirectory = (await lstat(gitDir).catch(() => undefined))?.isDirectory() ?? false;
  const [only, ...others] = isDirectory ? await entriesOf(gitDir) : [];
  if (only?.name !== "objects" || !only.isDirectory() || others.length > 0) return undefined;
  const inside = await entriesOf(objects);
  if (!inside.every((entry) => entry.isDirectory() && LEFT_BY_UPLOAD.test(entry.name))) return undefined;
  return inside.map(({ name }) => join(objects, name));
}

async function entriesOf(directory: string): Promise<Dirent[]> {
  return (await readdir(directory, { withFileTypes: true }).catch(unlessFault)) ?? [];
}
