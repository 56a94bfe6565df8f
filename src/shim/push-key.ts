import { readFileSync } from "node:fs";

/** What tells a push from all others, for the two hooks of it: the process of its receive-pack, and when that was started. */
export function pushKey(receivePack: number): string {
  return `${receivePack}-${startOf(receivePack)}`;
}

/** In ticks since the machine was started; 0 where the system does not say. */
function startOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ")[19] ?? "0";
  } catch {
    return "0";
  }
}
