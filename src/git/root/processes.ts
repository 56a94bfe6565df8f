// The processes that work in repositories below a root, as far as /proc shows them. A git server in another container
// has processes that this one cannot see.
import { readdir, readlink } from "node:fs/promises";

/** Returns the process ids by the directory in which they work. Leaves out what is not below `root`. */
export async function processesBelow(root: string): Promise<Map<string, number[]>> {
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  const found = new Map<string, number[]>();
  for (const pid of pids) {
    // A process may have ended, or belong to another user.
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => "");
    if (!cwd.startsWith(`${root}/`)) continue;
    found.set(cwd, [...(found.get(cwd) ?? []), Number(pid)]);
  }
  return found;
}
