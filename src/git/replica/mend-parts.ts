// Parts of a replica that are missing, or have been replaced by something else, are made anew where the log or the settings say what
// belongs there: HEAD, refs/, objects/, config. What they held comes from the log and from other devices.
import { lstat, mkdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isReftable, replaceFile, sync } from "../../io/disk.ts";
import type { GitContext } from "../process.ts";
import { setAside } from "./aside.ts";
import { initialConfig } from "./repository.ts";

/**
 * Returns the names of what was made anew; `putInDoubt` runs before the first of it is. The caller holds the mutex of the replica, which it
 * knows to be one, and compares it afterwards. Throws NOT_A_REPOSITORY when what is in the way cannot be moved.
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
  // Power loss may leave a HEAD without content, or with zeros: git renames a new one into its place before it is synced.
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

/** Nothing is read from a pipe, which would wait for ever. */
async function hasText(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true && /[^\s\0]/.test(await readFile(path, "utf8").catch(() => "unreadable"));
}
