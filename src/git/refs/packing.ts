// Whether some git packs the refs of a repository now. That git may hold its locks longer than any other command. If
// its locks are broken, it can put back a ref that was deleted meanwhile.
import { readdir, readlink, realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { textOf, unlessAbsent } from "../../io/disk.ts";

/**
 * Returns true while a `git pack-refs` runs on the repository, also as part of `git gc`, or one whose directory the
 * system does not show. Reads /proc; false where there is none. Costs a look at every process.
 */
export async function isBeingPacked(gitDir: string): Promise<boolean> {
  const here = await realpath(gitDir).catch(() => gitDir);
  for (const pid of (await readdir("/proc").catch(unlessAbsent)) ?? []) {
    if (!/^\d+$/.test(pid)) continue;
    const args = (await textOf(`/proc/${pid}/cmdline`)).split("\0");
    if (!packsRefs(args)) continue;
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
    // The process has just ended. One of another user keeps its command line.
    if (cwd === undefined && (await textOf(`/proc/${pid}/cmdline`)) === "") continue;
    if (cwd === undefined) return true;
    const environment = (await textOf(`/proc/${pid}/environ`)).split("\0");
    const given = gitDirOf(args) ?? environment.find((each) => each.startsWith("GIT_DIR="))?.slice("GIT_DIR=".length);
    const there = resolve(cwd, given ?? ".");
    if ((await realpath(there).catch(() => there)) === here) return true;
  }
  return false;
}

function packsRefs(args: readonly string[]): boolean {
  // In a sh wrapper around git, git is the second word.
  const programs = args.slice(0, 2).map((each) => each.split("/").at(-1));
  if (!programs.includes("git") && !programs.includes("git-pack-refs")) return false;
  // Newer versions of git also call it `git refs optimize`.
  return args.some((each, index) => each === "pack-refs" || (each === "optimize" && args[index - 1] === "refs"));
}

function gitDirOf(args: readonly string[]): string | undefined {
  const at = args.findIndex((each) => each === "--git-dir" || each.startsWith("--git-dir="));
  return at < 0 ? undefined : (args[at]?.split("--git-dir=")[1] ?? args[at + 1]);
}
