import { readFileSync } from "node:fs";

/**
 * Returns an id that differs for each push and is the same in its two hooks: the pid and start time of its
 * receive-pack.
 */
export function pushKey(receivePack: number): string {
  return `${receivePack}-${startOf(receivePack)}`;
}

/** Returns the start time in ticks since the machine started; 0 where the system does not tell. */
function startOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ")[19] ?? "0";
  } catch {
    return "0";
  }
}
