// The processes that work in repositories below a root, as far as /proc shows them. A git server in another container
// has processes that this one cannot see.
import { readdirSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Callers within this time share one look, which begins after their calls. */
const TOGETHER_MS = 20;

let next: Promise<Map<string, number[]>> | undefined;

/** Returns the process ids by the directory in which they work. Leaves out those that do not work below `root`. */
export async function processesBelow(root: string): Promise<Map<string, number[]>> {
  next ??= sleep(TOGETHER_MS).then(() => {
    next = undefined;
    return look();
  });
  const all = await next;
  return new Map([...all].filter(([directory]) => directory.startsWith(`${root}/`)));
}

/** Reads /proc at once: each call takes some microseconds. In Node's pool of threads it would wait for slow disks. */
function look(): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const pid of namesOf(() => readdirSync("/proc"))) {
    if (!/^\d+$/.test(pid)) continue;
    // A process may have ended, or belong to another user.
    const [directory] = namesOf(() => [readlinkSync(`/proc/${pid}/cwd`)]);
    if (directory !== undefined) found.set(directory, [...(found.get(directory) ?? []), Number(pid)]);
  }
  return found;
}

function namesOf(read: () => string[]): string[] {
  try {
    return read();
  } catch {
    return [];
  }
}
