// What a receive-pack leaves that was ended by a signal (also by the broken pipe of a client that went away): its quarantine, and the
// .keep of a pack that it had moved out of there. git removes neither by itself, but in a gc, which there is none of here.
import { readdir, readFile, readlink, realpath, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { namesIn } from "../../io/disk.ts";

/** A receive-pack that cannot be seen (in a container of its own) may still be at work on something younger. */
const UPLOAD_ABANDONED_MS = 60 * 60 * 1000;
/** A quarantine, or what our pre-receive has noted of a push. */
const LEFT_BY_UPLOAD = /^tmp_(objdir-incoming|pushed)-/;
/** What index-pack writes for receive-pack; a .keep of an operator's says something else. */
const KEPT_FOR_UPLOAD = /^(receive|fetch)-pack \d+ on /;

/**
 * Removes quarantines of receive-pack and .keep files of its packs that nothing has touched for `minAgeMs`, unless a receive-pack is at
 * work in this repository. Returns what was removed. Costs a look into two directories, and at every process where there is something.
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

/** Whether it and everything below it is so old: of a slow upload only the file that it writes to is young. */
export async function isUntouched(directory: string, minAgeMs: number): Promise<boolean> {
  const inside = await readdir(directory, { recursive: true }).catch(() => []);
  for (const name of [".", ...inside]) if (!(await isOlder(join(directory, name), minAgeMs))) return false;
  return true;
}

/** True while a receive-pack runs in the repository, or one of which the system does not say where it runs. */
async function isReceiving(gitDir: string): Promise<boolean> {
  const here = await realpath(gitDir).catch(() => gitDir);
  for (const pid of await namesIn("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const args = (await text(`/proc/${pid}/cmdline`)).split("\0").map((each) => each.split("/").at(-1));
    if (!args.includes("receive-pack") && !args.includes("git-receive-pack")) continue;
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
    // Gone, or another user's.
    if (cwd === undefined ? (await text(`/proc/${pid}/cmdline`)) !== "" : cwd === here) return true;
  }
  return false;
}

async function isOlder(path: string, minAgeMs: number): Promise<boolean> {
  return await stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs >= minAgeMs,
    () => true,
  );
}

async function text(path: string): Promise<string> {
  return await readFile(path, "utf8").catch(() => "");
}
