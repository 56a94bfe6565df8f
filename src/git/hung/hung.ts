// Ends a git that shows no work: somebody has stopped it, or it waits for a dead disk. Its caller waits for an answer,
// perhaps with the mutex of a replica, and would hold that replica for ever. All gits that this process starts are
// watched here, and nowhere else.
//
// - Only a git that somebody waits for is judged. A git is not judged while it waits for input of this process, or
//   while this process has not taken its output.
// - The kernel says whether a git works: by its time on a processor, its page faults, and its calls of read and write.
//   Bytes of output prove little, since git keeps connections alive while nothing moves.
// - A program that git has started and that is no git is a hook of the operator's. It may take any time.
import type { ChildProcess } from "node:child_process";
import type { LockstepError } from "../../errors.ts";
import { WAITS } from "../../waits.ts";
import { type Child, isAwaited, judge, patienceOfTable, stuckError, type Watch, type WatchedGit } from "./judge.ts";
import { killAll, type ProcessSeen, readProcesses } from "./process-tree.ts";

const watches = new Map<ChildProcess, Watch>();
const killedWriters = new Set<string>();
let timer: NodeJS.Timeout | undefined;
let lookedAt = 0;

/** Watches a git until it ends. */
export function watchGit(child: Child, git: WatchedGit): void {
  if (child.pid === undefined) return;
  const fresh = { answers: 0, looks: 0, work: "", silentMs: 0, killedMs: 0, error: undefined, isStuck: false };
  const watch: Watch = { ...git, child, ...fresh, onStuck: () => {} };
  watches.set(child, watch);
  child.once("exit", () => watches.delete(child));
  if (timer !== undefined) return;
  lookedAt = performance.now();
  timer = setTimeout(lookAround, WAITS.gitLookMs).unref();
}

/** Marks that somebody waits for an answer of a git whose input is still open, until it is disposed of. */
export function awaitAnswer(child: ChildProcess): Disposable {
  const watch = watches.get(child);
  if (watch) watch.answers += 1;
  return {
    [Symbol.dispose]() {
      if (watch) watch.answers -= 1;
    },
  };
}

/** The watch of one git, for the function that waits for its end. */
export interface HungGit {
  /** Returns the error, GIT_HUNG, if the git was ended because it showed no work. */
  error(): LockstepError | undefined;
  /** Calls `stuck` when the git was killed and does not end. */
  onStuck(stuck: () => void): void;
}

/** Returns the watch of a git. It may be asked after the git has ended. */
export function hungGit(child: ChildProcess): HungGit {
  const watch = watches.get(child);
  return {
    error: () => watch?.error,
    onStuck(stuck) {
      if (watch) watch.onStuck = stuck;
    },
  };
}

/**
 * Throws GIT_HUNG while a git that was killed has not ended in this repository. That git may still finish one change of
 * its files, so nobody may write there. Nobody can read from a disk that does not answer.
 */
export function assertNoStuckGit(gitDir: string): void {
  const stuck = stuckIn(gitDir);
  if (stuck) throw stuckError(stuck);
}

/** Returns true while a git that was killed has not ended in this repository. */
export function hasStuckGit(gitDir: string): boolean {
  return stuckIn(gitDir) !== undefined;
}

function stuckIn(gitDir: string): Watch | undefined {
  return [...watches.values()].find((each) => each.isStuck && each.gitDir === gitDir);
}

/** Notes that a git that could write was ended in this repository: it may have left locks and half of its changes. */
export function noteKilledWriter(gitDir: string): void {
  killedWriters.add(gitDir);
}

/** Returns true when a git that could write was ended in this repository, so that everything must be compared. */
export function wasWriterKilled(gitDir: string): boolean {
  return killedWriters.has(gitDir);
}

/** Returns what `wasWriterKilled` returns, and forgets it. The caller compares everything. */
export function takeKilledWriter(gitDir: string): boolean {
  return killedWriters.delete(gitDir);
}

async function lookAround(): Promise<void> {
  const now = performance.now();
  // If this process itself was stopped or busy, most of that time does not count.
  const passedMs = Math.min(now - lookedAt, 2 * WAITS.gitLookMs);
  lookedAt = now;
  const suspects = [...watches.values()].filter((watch) => isSuspect(watch, passedMs));
  if (suspects.length > 0) {
    const processes = await readProcesses();
    for (const watch of suspects) await endIfHung(watch, processes, passedMs);
  }
  timer = watches.size > 0 ? setTimeout(lookAround, WAITS.gitLookMs).unref() : undefined;
}

/** Returns true for a git that somebody waits for since the last look. Notes a killed git that does not end. */
function isSuspect(watch: Watch, passedMs: number): boolean {
  if (watch.child.killed) {
    watch.killedMs += passedMs;
    const { killedMs } = watch.patience ?? patienceOfTable();
    if (watch.killedMs < killedMs || watch.isStuck) return false;
    watch.isStuck = true;
    watch.error = stuckError(watch);
    noteWriter(watch);
    watch.onStuck();
    return false;
  }
  watch.looks = isAwaited(watch) ? watch.looks + 1 : 0;
  if (watch.looks < 2) Object.assign(watch, { work: "", silentMs: 0 });
  return watch.looks >= 2;
}

async function endIfHung(watch: Watch, processes: ReadonlyMap<number, ProcessSeen>, passedMs: number): Promise<void> {
  const hung = await judge(watch, processes, passedMs);
  // It may have got its input meanwhile, or have ended.
  if (hung === undefined || !isAwaited(watch) || !watches.has(watch.child)) return;
  watch.error = hung.error;
  noteWriter(watch);
  watch.child.kill("SIGKILL");
  killAll(hung.below);
}

function noteWriter({ writes, gitDir }: Watch): void {
  if (writes && gitDir !== undefined) noteKilledWriter(gitDir);
}
