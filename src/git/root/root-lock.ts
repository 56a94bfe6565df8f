// The disk has no fence: a stopped process that wakes up could rename a lock file that now belongs to another process.
// So one sidecar at a time holds an operating-system lock on the root. Every git child that writes inherits the open
// file. The lock is free only when the old process and all its children are gone.
import { spawn } from "node:child_process";
import { fstat } from "node:fs";
import { type FileHandle, open, readdir, readFile, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { LockstepError } from "../../errors.ts";
import type { Host } from "../../host.ts";
import { unlessAbsent, unlessFault } from "../../io/disk.ts";
import { WAITS } from "../../waits.ts";
import { STATE_DIR } from "./root-record.ts";

const HELD = 1;

export interface RootLock {
  readonly fd: number;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface RootLockOptions {
  /** The directory of the root's own records. */
  readonly stateDir: string;
  /** A program that locks an inherited descriptor. Its last argument is the descriptor's number. */
  readonly locker: readonly string[];
  readonly path: string;
  readonly host: Pick<Host, "pid" | "kill">;
  /** The process that recorded itself last as the root's sidecar. */
  readonly recordedPid: number | undefined;
  /**
   * Returns true when the lease of the recorded sidecar has run out. That sidecar is stopped or hangs, and may be
   * ended.
   */
  readonly mayEnd: () => Promise<boolean>;
}

/**
 * Takes the lock on the root. First ends git children that a killed sidecar left. Throws ROOT_LOCKED, naming the
 * process, when a live sidecar serves the root; PREREQUISITE_MISSING when no program can lock.
 */
export async function lockRoot(options: RootLockOptions): Promise<RootLock> {
  const path = join(options.stateDir, "lock");
  const file = await open(path, "a+", 0o600);
  try {
    if (!(await tryLock(file, options))) {
      await endHolders(path, options);
      if (!(await lockWithin(file, options, WAITS.rootLockMs))) throw heldError(path, options.recordedPid);
    }
  } catch (error) {
    await file.close();
    throw error;
  }
  return { fd: file.fd, [Symbol.asyncDispose]: () => file.close() };
}

/**
 * Takes the lock on an open file if it is free. Returns whether it took the lock, which lasts until the file is closed.
 * Throws PREREQUISITE_MISSING when no program can lock.
 */
export async function tryLock(
  file: FileHandle,
  { locker, path }: Pick<RootLockOptions, "locker" | "path">,
): Promise<boolean> {
  const [program, ...args] = locker as [string, ...string[]];
  const child = spawn(program, [...args, "3"], { stdio: ["ignore", "ignore", "pipe", file.fd], env: { PATH: path } });
  const said: Buffer[] = [];
  child.stderr?.on("data", (chunk: Buffer) => said.push(chunk));
  const code = await new Promise<number>((resolve, reject) => {
    child.once("error", (cause) =>
      reject(
        new LockstepError(
          "PREREQUISITE_MISSING",
          `Cannot run ${program}, which locks the root; install util-linux or a C compiler.`,
          { cause },
        ),
      ),
    );
    child.once("close", (exit) => resolve(exit ?? -1));
  });
  if (code === 0) return true;
  if (code === HELD) return false;
  throw new LockstepError(
    "PREREQUISITE_MISSING",
    `${program} cannot lock the root (${Buffer.concat(said).toString().trim()}); put it on a file system that has locks.`,
  );
}

/** Returns true while the root's lock file is still the file that `fd` has locked. */
export async function isRootHere(root: string, fd: number | null): Promise<boolean> {
  if (fd === null) return true;
  const [there, ours] = await Promise.all([
    stat(join(root, STATE_DIR, "lock")).catch(() => undefined),
    promisify(fstat)(fd),
  ]);
  return there?.dev === ours.dev && there.ino === ours.ino;
}

async function lockWithin(file: FileHandle, options: RootLockOptions, ms: number): Promise<boolean> {
  const deadline = Date.now() + ms;
  while (!(await tryLock(file, options))) {
    if (Date.now() > deadline) return false;
    await sleep(50);
  }
  return true;
}

/**
 * Kills children of a dead sidecar, and a sidecar that hangs. Never kills a sidecar that is alive and has its lease.
 */
async function endHolders(path: string, { host, recordedPid, mayEnd }: RootLockOptions): Promise<void> {
  const holders = (await processesWithOpen(path)).filter(({ pid }) => pid !== host.pid);
  const ours = await programOf(host.pid);
  // Any other program is a child of a sidecar: git, or a hook that git runs on a ref transaction.
  const sidecar = holders.find(({ pid, program }) => pid === recordedPid || program === ours);
  if (sidecar && !(sidecar.pid === recordedPid && (await mayEnd()))) throw heldError(path, sidecar.pid);
  for (const { pid } of holders) {
    try {
      host.kill(pid, "SIGKILL");
    } catch {
      // The process has ended meanwhile.
    }
  }
}

/** Returns the processes that have a file open, from /proc; none where there is no /proc. */
export async function processesWithOpen(path: string): Promise<{ pid: number; program: string }[]> {
  const { dev, ino } = await stat(path);
  const pids = ((await readdir("/proc").catch(unlessAbsent)) ?? []).filter((name) => /^\d+$/.test(name));
  const found: { pid: number; program: string }[] = [];
  for (const pid of pids) {
    const descriptors = (await readdir(`/proc/${pid}/fd`).catch(unlessFault)) ?? [];
    for (const descriptor of descriptors) {
      const file = `/proc/${pid}/fd/${descriptor}`;
      // Checks the name first: stat on sockets and terminals of other processes is slower.
      if ((await readlink(file).catch(() => "")) !== path) continue;
      const opened = await stat(file).catch(() => undefined);
      if (opened?.dev !== dev || opened.ino !== ino) continue;
      found.push({ pid: Number(pid), program: await programOf(pid) });
      break;
    }
  }
  return found;
}

async function programOf(pid: number | string): Promise<string> {
  return (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")).trim();
}

function heldError(path: string, pid: number | undefined): LockstepError {
  return new LockstepError(
    "ROOT_LOCKED",
    `Another sidecar${pid === undefined ? "" : ` (process ${pid})`} serves this root, see ${path}; stop it first, or give this one another --root.`,
    { details: { pid: String(pid ?? "") } },
  );
}
