import { closeSync, constants, openSync, statSync } from "node:fs";

const INTERVAL_MS = 1000;

function isUnread(pipe: string): boolean {
  try {
    if (!statSync(pipe).isFIFO()) return false;
    closeSync(openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK));
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENXIO";
  }
}

/**
 * Calls `gone` once nobody reads the standard output of the process `pid` (or "self") any more. receive-pack itself does
 * not notice while it waits for the hook. Only where there is /proc, and where that output is a pipe. Returns what stops
 * the watch.
 */
export function watchClient(pid: number | "self", gone: () => void): () => void {
  const timer = setInterval(() => {
    if (!isUnread(`/proc/${pid}/fd/1`)) return;
    clearInterval(timer);
    gone();
  }, INTERVAL_MS);
  return () => clearInterval(timer);
}
