// Whether some git packs the refs of a repository now. It may hold its locks for longer than any other command, and whoever breaks
// them lets it put back a ref that has been deleted meanwhile.
import { readdir, readFile, readlink, realpath } from "node:fs/promises";
import { resolve } from "node:path";

/**
 * True while a `git pack-refs` (also that of a `git gc`) runs on the repository, or one of which the system does not say where it
 * runs. By /proc; false where there is none. Costs a look at every process.
 */
export async function isBeingPacked(gitDir: string): Promise<boolean> {
  const here = await realpath(gitDir).catch(() => gitDir);
  for (const pid of await readdir("/proc").catch(() => [])) {
    if (!/^\d+$/.test(pid)) continue;
    const args = (await text(`/proc/${pid}/cmdline`)).split("\0");
    if (!packsRefs(args)) continue;
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
    // Another user's, or one that has just ended.
    if (cwd === undefined && (await text(`/proc/${pid}/cmdline`)) === "") continue;
    if (cwd === undefined) return true;
    const environment = (await text(`/proc/${pid}/environ`)).split("\0");
    const given = gitDirOf(args) ?? environment.find((each) => each.startsWith("GIT_DIR="))?.slice("GIT_DIR=".length);
    const there = resolve(cwd, given ?? ".");
    if ((await realpath(there).catch(() => there)) === here) return true;
  }
  return false;
}

function packsRefs(args: readonly string[]): boolean {
  // A wrapper of sh around git has git second.
  const programs = args.slice(0, 2).map((each) => each.split("/").at(-1));
  if (!programs.includes("git") && !programs.includes("git-pack-refs")) return false;
  // Newer gits also call it `git refs optimize`.
  return args.some((each, index) => each === "pack-refs" || (each === "optimize" && args[index - 1] === "refs"));
}

function gitDirOf(args: readonly string[]): string | undefined {
  const at = args.findIndex((each) => each === "--git-dir" || each.startsWith("--git-dir="));
  return at < 0 ? undefined : (args[at]?.split("--git-dir=")[1] ?? args[at + 1]);
}

async function text(path: string): Promise<string> {
  return await readFile(path, "utf8").catch(() => "");
}
