// Replaces parts of a replica that are missing or are something else. The log or the settings say what belongs there:
// HEAD, refs/, objects/, config. The content of refs/ and objects/ then comes from the log and from other devices.
import { lstat, mkdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isReftable, replaceFile, sync } from "../../io/disk.ts";
import type { GitContext } from "../process.ts";
import { setAside } from "./aside.ts";
import { initialConfig } from "./repository.ts";

/**
 * Makes missing parts anew and returns their names. `putInDoubt` runs before the first one is made. The caller holds
 * the replica's mutex, knows that the directory is this replica, and compares it afterwards. Throws NOT_A_REPOSITORY
 * when an obstacle cannot be moved.
 */
export async function mendParts(
  context: GitContext,
  { gitDir, objectFormat }: { gitDir: string; objectFormat: "sha1" | "sha256" },
  aside: string,
  putInDoubt: () => Promise<void>,
): Promise<string[]> {
  const mended: string[] = [];
  const clear = async (name: string) => {
    if (mended.length === 0) await putInDoubt();
    mended.push(name);
    await setAside(gitDir, name, aside);
  };
  for (const name of ["refs", "objects", "objects/pack", "hooks"]) {
    if ((await stat(join(gitDir, name)).catch(() => undefined))?.isDirectory()) continue;
    await clear(name);
    await mkdir(join(gitDir, name));
  }
  // Power loss may leave a HEAD that is empty or full of zeros, since git renames a new HEAD into place before it is
  // synced.
  if (!(await hasText(join(gitDir, "HEAD")))) {
    await clear("HEAD");
    await replaceFile(join(gitDir, "HEAD"), "ref: refs/heads/main\n");
  }
  if (!(await hasText(join(gitDir, "config")))) {
    await clear("config");
    const format = isReftable(gitDir) ? "reftable" : "files";
    await replaceFile(join(gitDir, "config"), await initialConfig(context, join(aside, "init"), objectFormat, format));
    await rm(join(aside, "init"), { recursive: true, force: true });
  }
  for (const name of ["packed-refs", "lockstep.config", "lockstep.version"]) {
    const found = await lstat(join(gitDir, name)).catch(() => undefined);
    if (found && !found.isFile()) await clear(name);
  }
  if (mended.length > 0) await sync(gitDir);
  return mended;
}

/** Returns true when `path` is a file with text. A pipe is never read, since that would wait for ever. */
async function hasText(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true && /[^\s\0]/.test(await readFile(path, "utf8").catch(() => "unreadable"));
}
