// How much this machine can do at once. A virtual machine may take ten times as long on one day as on another.
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";

const STARTS = 9;
/** A usual machine starts git in 2 to 4 ms. */
const SLOW_START_MS = 6;

/** Returns true if this machine starts programs slowly: it is slow, or busy with other work. */
function isSlow(): boolean {
  const starts = Array.from({ length: STARTS }, () => {
    const startedAt = performance.now();
    spawnSync("git", ["--version"]);
    return performance.now() - startedAt;
  });
  return (starts.sort((one, other) => one - other)[Math.floor(STARTS / 2)] ?? 0) > SLOW_START_MS;
}

/**
 * Returns how many test files run at once, and by how much the limits of time grow. Tests wait more than they compute:
 * for leases, for hung processes to be given up, for a disk. So a usual machine runs two files on each core.
 */
export function paceOfMachine(): { maxWorkers: number; slowness: number } {
  const cores = availableParallelism();
  if (!isSlow()) return { maxWorkers: 2 * cores, slowness: 1 };
  console.log("This machine starts programs slowly: fewer test files run at once, and limits of time are doubled.");
  return { maxWorkers: cores, slowness: 2 };
}
