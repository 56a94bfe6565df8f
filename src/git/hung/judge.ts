// Judges by what the kernel says whether a git works.
import type { ChildProcess } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { LockstepError } from "../../errors.ts";
import { WAITS } from "../../waits.ts";
import type { MakeWay } from "./make-way.ts";
import { descendants, type ProcessSeen, runsHook, waitsForDisk, waitsForPeer, workOf } from "./process-tree.ts";

/** How long a git may show no work, in milliseconds. */
export interface Patience {
  /** A git that was stopped by a signal. It cannot do anything, and nobody stops one for a good reason. */
  readonly stoppedMs: number;
  /** A git that sleeps. */
  readonly silentMs: number;
  /** A git that waits for a disk. One sync of a large pack shows nothing until it ends. */
  readonly diskMs: number;
  /** A git that was killed. Only one that waits for a disk can outlive this. */
  readonly killedMs: number;
}

/** Returns the patience with a git for which its caller named none. */
export const patienceOfTable = (): Patience => ({
  stoppedMs: WAITS.gitStoppedMs,
  silentMs: WAITS.gitSilentMs,
  diskMs: WAITS.gitDiskMs,
  killedMs: WAITS.gitKilledMs,
});

export interface WatchedGit {
  /** Such as `update-ref`. */
  readonly command: string;
  /** The repository. undefined: the git serves a client, and the sidecar does not depend on its end. */
  readonly gitDir?: string;
  /** True when the git may change the repository. */
  readonly writes?: boolean;
  readonly patience?: Patience | undefined;
  readonly makeWay?: MakeWay | undefined;
}

/** stdout is null when the output goes into a file. */
export type Child = ChildProcess & { readonly stdin: Writable; readonly stdout: Readable | null };

/** A git that is watched, and what the looks at it have found. */
export interface Watch extends WatchedGit {
  readonly child: Child;
  /** How many answers somebody waits for. */
  answers: number;
  /** How many looks in a row have found that somebody waits for this git. */
  looks: number;
  work: string;
  silentMs: number;
  killedMs: number;
  error: LockstepError | undefined;
  /** True when a killed git has not ended. */
  isStuck: boolean;
  onStuck: () => void;
}

/** A git that hangs. */
export interface Hung {
  readonly error: LockstepError;
  readonly below: readonly ProcessSeen[];
}

/** Returns true while somebody waits for this git, and not this git for them. */
export function isAwaited({ child: { stdin, stdout }, answers }: Watch): boolean {
  if (stdout !== null && stdout.readableLength > 0) return false;
  return answers > 0 || stdin.writableEnded || stdin.destroyed || stdin.writableLength > 0;
}

/** Looks at a git that somebody waits for. Returns why it counts as hung, with the processes below it, or undefined. */
export async function judge(
  watch: Watch,
  processes: ReadonlyMap<number, ProcessSeen>,
  passedMs: number,
): Promise<Hung | undefined> {
  const { child, patience = patienceOfTable(), makeWay } = watch;
  // This process has stopped it for a moment, so this look counts for nothing.
  if (makeWay?.isStopped(child)) return undefined;
  const top = processes.get(child.pid as number);
  if (top === undefined) return undefined;
  const below = descendants(processes, top.pid);
  const all = [top, ...below];
  const parents = new Set(below.map(({ parent }) => parent));
  // A git that waits for a git that it has started is judged by that one.
  const working = all.filter(({ pid }) => !parents.has(pid));
  const work = (await Promise.all(working.map(workOf))).join("\n");
  const isNew = work !== watch.work || working.some(({ state }) => state === "R");
  watch.work = work;
  watch.silentMs = isNew ? 0 : watch.silentMs + passedMs;
  const { stoppedMs, silentMs, diskMs } = patience;
  const isStopped = all.some(({ state }) => state === "T");
  if (watch.silentMs < (isStopped ? stoppedMs : silentMs)) return undefined;
  if (await runsHook(all)) return undefined;
  const forDisk = !isStopped && (await Promise.all(working.map(waitsForDisk))).some(Boolean);
  if (forDisk && watch.silentMs < diskMs) return undefined;
  if (!isStopped && !forDisk && (await waitsForPeer(working))) return undefined;
  const error = hungError(watch, isStopped ? "was stopped" : forDisk ? "waited for the disk" : "showed no work");
  return { error, below };
}

function hungError({ command, silentMs }: Watch, what: string): LockstepError {
  const seconds = Math.round(silentMs / 1000);
  return new LockstepError(
    "GIT_HUNG",
    `git ${command} ${what} for ${seconds} s on this device, so it was ended; try again, and see whether the disk of this device answers.`,
    { details: { command, exitCode: "-1" } },
  );
}

/** Returns the error of a git that was killed and has not ended. */
export function stuckError({ command, child }: Watch): LockstepError {
  return new LockstepError(
    "GIT_HUNG",
    `git ${command} (process ${child.pid}) hangs and cannot be ended, so this replica serves nobody until it ends; use another device, and repair this disk.`,
    { details: { command, exitCode: "-1", pid: String(child.pid) } },
  );
}
