// Finds the processes of this machine in /proc. Linux only.
import { existsSync, readFileSync } from "node:fs";
import { readdir, readFile, readlink } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { SOON } from "./soon.ts";

export interface Running {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  /** The state of /proc/PID/stat, and the kernel function in which the process sleeps: "D jbd2_log_wait_commit". */
  readonly state: string;
}

/** Returns whether the process runs. A zombie does not run. */
export function isAlive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}`)) return false;
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Resolves when the process has ended. Throws if it does not end. */
export async function untilGone(pid: number): Promise<void> {
  const deadline = Date.now() + SOON.timeout;
  while (isAlive(pid)) {
    if (Date.now() > deadline) throw new Error(`process ${pid} does not end`);
    await delay(5);
  }
}

/**
 * Returns the other processes with `text` in their environment, command line or current directory. `text` is a
 * directory, for instance.
 */
export async function processesOf(text: string): Promise<Running[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const found = await Promise.all(pids.map((pid) => look(pid, text)));
  return found.filter((each) => each !== undefined);
}

async function look(pid: string, wanted: string): Promise<Running | undefined> {
  // A process may end while we read its files.
  const read = (file: string) => readFile(`/proc/${pid}/${file}`, "latin1").catch(() => "");
  const files = ["cmdline", "environ", "stat", "wchan"].map(read);
  const [command, environment, stat, wchan] = (await Promise.all(files)) as [string, string, string, string];
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => "");
  // A zombie has no command line.
  if (command === "" || ![command, environment, cwd].some((place) => place.includes(wanted))) return undefined;
  const [, state, parent] = /\) (\S) (\d+)/.exec(stat) ?? [];
  return {
    pid: Number(pid),
    parent: Number(parent ?? 0),
    command: command.replaceAll("\0", " ").trim(),
    state: `${state} ${wchan}`,
  };
}
