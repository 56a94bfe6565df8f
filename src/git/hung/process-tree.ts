// The processes of this machine, as /proc shows them: who started whom, and the work that each has done.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { readdir, readFile, readlink } from "node:fs/promises";
import { basename } from "node:path";
import { setImmediate } from "node:timers/promises";

/** One process at the moment of a look. */
export interface ProcessSeen {
  readonly pid: number;
  readonly parent: number;
  /** The name of the program, at most 15 characters of it. */
  readonly name: string;
  /** The letter that the kernel shows: R runs, S sleeps, D waits for a disk, T was stopped by a signal, Z has ended. */
  readonly state: string;
  /** Its time on a processor and its page faults so far. */
  readonly cpu: string;
}

/** So many processes are looked at without a break: for about a millisecond. */
const AT_ONCE = 50;

/** Returns all processes that have not ended, by their number; none where there is no /proc. */
export async function readProcesses(): Promise<Map<number, ProcessSeen>> {
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  const seen = new Map<number, ProcessSeen>();
  for (const [index, pid] of pids.entries()) {
    if (index % AT_ONCE === 0) await setImmediate();
    const found = readProcess(`/proc/${pid}/stat`);
    if (found) seen.set(found.pid, found);
  }
  return seen;
}

/** Reads at once: the kernel answers from memory, and a promise for each file would cost four times as much. */
function readProcess(path: string): ProcessSeen | undefined {
  const text = readIfThere(path);
  // The name stands in parentheses and may hold any character.
  const [from, to] = [text.indexOf("("), text.lastIndexOf(")")];
  const fields = text.slice(to + 2).split(" ");
  const [state = "", parent = ""] = fields;
  if (text === "" || state === "Z" || state === "X") return undefined;
  // proc(5): minor and major page faults, time in the program and in the kernel.
  const cpu = [fields[7], fields[9], fields[11], fields[12]].join(" ");
  return { pid: Number.parseInt(text, 10), parent: Number(parent), name: text.slice(from + 1, to), state, cpu };
}

/** Returns what the process has done so far, as a text that changes with each step of work. */
export async function workOf({ pid, cpu }: ProcessSeen): Promise<string> {
  const io = await readFile(`/proc/${pid}/io`, "latin1").catch(() => "");
  return `${pid} ${cpu} ${io}`;
}

/** Returns true when a thread of the process waits for a disk. */
export async function waitsForDisk({ pid, state }: ProcessSeen): Promise<boolean> {
  if (state === "D") return true;
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => []);
  return tasks.some((task) => readProcess(`/proc/${pid}/task/${task}/stat`)?.state === "D");
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

/** Returns the name of the program that the process runs. For a script this is its interpreter. */
async function programOf({ pid, name }: ProcessSeen): Promise<string> {
  return basename(await readlink(`/proc/${pid}/exe`).catch(() => name));
}

/** Returns the processes that this one has started, and those that they have started. */
export function descendants(processes: ReadonlyMap<number, ProcessSeen>, pid: number): ProcessSeen[] {
  const children = [...processes.values()].filter(({ parent }) => parent === pid);
  return children.flatMap((child) => [child, ...descendants(processes, child.pid)]);
}

/** Returns true when a git among them has started another program: a hook, or a helper that the operator has set. */
export async function runsHook(all: readonly ProcessSeen[]): Promise<boolean> {
  const programs = new Map<number, string>();
  for (const each of all) programs.set(each.pid, await programOf(each));
  const isGit = (pid: number) => /^git([- ]|$)/.test(programs.get(pid) ?? "");
  return all.some(({ pid, parent }) => isGit(parent) && !isGit(pid));
}

/** Returns true for a git that waits for another machine. `git-fetch.ts` has the limit for that. */
export async function waitsForPeer(working: readonly ProcessSeen[]): Promise<boolean> {
  const programs = await Promise.all(working.map(programOf));
  return programs.some((program) => program.startsWith("git-remote-http"));
}

/** Kills processes that are not our own children. */
export function killAll(processes: readonly ProcessSeen[]): void {
  if (processes.length === 0) return;
  const pids = processes.map(({ pid }) => String(pid));
  spawn("sh", ["-c", 'kill -KILL "$@"', "sh", ...pids], { stdio: "ignore" }).on("error", () => {});
}
