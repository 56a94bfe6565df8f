// Leftovers of a receive-pack that a signal ended, such as the broken pipe of a client that went away. They are its
// quarantine, and the .keep of a pack that had left the quarantine. git removes them only in a gc, and here gc never
// runs by itself.
import { lstat, readdir, readFile, readlink, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { namesIn, textOf, unlessFault } from "../../io/disk.ts";

/** A younger leftover may belong to a receive-pack that is invisible here, since it runs in another container. */
const UPLOAD_ABANDONED_MS = 60 * 60 * 1000;
/** Matches a quarantine, and the notes of our pre-receive hook about a push. */
export const LEFT_BY_UPLOAD = /^tmp_(objdir-incoming|pushed)-/;
/** Matches what index-pack writes for receive-pack. An operator's .keep has other content. */
const KEPT_FOR_UPLOAD = /^(receive|fetch)-pack \d+ on /;

/**
 * Removes quarantines of receive-pack, and .keep files of its packs, that have not changed for `minAgeMs`. Removes none
 * while a receive-pack runs in this repository. Returns what it removed. Costs a look into two directories, and at
 * every process if there is a leftover.
 */
export async function sweepUploads(gitDir: string, minAgeMs: number = UPLOAD_ABANDONED_MS): Promise<string[]> {
  const found = [...(await quarantines(gitDir, minAgeMs)), ...(await keepFiles(gitDir, minAgeMs))];
  if (found.length === 0 || (await isReceiving(gitDir))) return [];
  for (const path of found) await rm(join(gitDir, path), { recursive: true, force: true });
  return found;
}

async function quarantines(gitDir: string, minAgeMs: number): Promise<string[]> {
  const found: string[] = [];
  for (const name of await namesIn(join(gitDir, "objects"))) {
    const path = join("objects", name);
    if (LEFT_BY_UPLOAD.test(name) && (await isUntouched(join(gitDir, path), minAgeMs))) found.push(path);
  }
  return found;
}

async function keepFiles(gitDir: string, minAgeMs: number): Promise<string[]> {
  const found: string[] = [];
  for (const name of await namesIn(join(gitDir, "objects", "pack"))) {
    const path = join("objects", "pack", name);
    if (!name.endsWith(".keep") || !(await isOlder(join(gitDir, path), minAgeMs))) continue;
    if (KEPT_FOR_UPLOAD.test(await text(join(gitDir, path)))) found.push(path);
  }
  return found;
}

/**
 * Returns true when the directory and everything in it is at least `minAgeMs` old. In a slow upload only the file that
 * receives data is young. False for a directory that is absent or not readable.
 */
export async function isUntouched(directory: string, minAgeMs: number): Promise<boolean> {
  const inside = await readdir(directory, { recursive: true }).catch(unlessFault);
  if (inside === undefined) return false;
  for (const name of [".", ...inside]) if (!(await isOlder(join(directory, name), minAgeMs))) return false;
  return true;
}

/** Returns true while a receive-pack runs in the repository, or one whose directory the system does not show. */
async function isReceiving(gitDir: string): Promise<boolean> {
  const here = await realpath(gitDir).catch(() => gitDir);
  for (const pid of await namesIn("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const args = (await commandLine(pid)).split("\0").map((each) => each.split("/").at(-1));
    if (!args.includes("receive-pack") && !args.includes("git-receive-pack")) continue;
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
    // The process has ended, or it belongs to another user.
    if (cwd === undefined ? (await commandLine(pid)) !== "" : cwd === here) return true;
  }
  return false;
}

/** Returns the command line of a process; empty once the process has ended. */
async function commandLine(pid: string): Promise<string> {
  return await textOf(`/proc/${pid}/cmdline`);
}

/** Returns true when something is at the path, even a broken symbolic link, and is at least `minAgeMs` old. */
async function isOlder(path: string, minAgeMs: number): Promise<boolean> {
  const found = await lstat(path).catch(unlessFault);
  return found !== undefined && Date.now() - found.mtimeMs >= minAgeMs;
}

async function text(path: string): Promise<string> {
  return await readFile(path, "utf8").catch(() => "");
}
