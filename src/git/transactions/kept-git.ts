// The git of a busy replica. It stays for a moment after a transaction, because a start costs more than a small
// transaction. A replica has one such git at most, since its mutex lets through one transaction after another.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { gitSyncsRefs, isReftable } from "../../io/disk.ts";
import { WAITS } from "../../waits.ts";
import { assertAlone } from "../borrowing/borrowing.ts";
import type { GitContext } from "../process.ts";
import { hookFolder } from "../ref-hook.ts";
import type { UpdateRef, UpdateRefOptions } from "./update-ref.ts";

/**
 * For how many idle times git may stay in all. It has read the settings at its start, and it grows with each new
 * object.
 */
const IDLE_TIMES = 10;

/** Keeps a git between two transactions of one replica. */
export class KeptGit {
  readonly #idleMs: number | undefined;
  #git: UpdateRef | undefined;
  #timer: NodeJS.Timeout | undefined;
  #usedAt = Number.NEGATIVE_INFINITY;

  /** `idleMs`: for how long git stays after a transaction. Default: that of the table of waits. */
  constructor(idleMs?: number) {
    this.#idleMs = idleMs;
  }

  /** True: a transaction ended a moment ago or is under way, so the next one most likely needs no new git. */
  get isLikely(): boolean {
    return performance.now() - this.#usedAt < this.#patienceMs;
  }

  /** Keeps git for the next transaction, or ends it. It has just committed one in this directory. */
  keep(git: UpdateRef, gitDir: string): void {
    this.end();
    const isOld = performance.now() - git.startedAt > IDLE_TIMES * this.#patienceMs;
    if (!git.isPlain || isOld || hasReflogs(gitDir)) {
      git.close();
      return;
    }
    this.#usedAt = performance.now();
    this.#git = git;
    this.#timer = setTimeout(() => this.end(), this.#patienceMs).unref();
  }

  /**
   * Returns the kept git, which is then the caller's, if it fits. Throws like the start of a git would:
   * PREREQUISITE_MISSING, REPLICA_BORROWS.
   */
  take(context: GitContext, gitDir: string, { count = 1, author }: UpdateRefOptions): UpdateRef | undefined {
    const git = this.#git;
    if (git === undefined) return undefined;
    assertAlone(gitDir, context);
    const hooks = author && hookFolder(gitDir, author);
    if (hooks !== undefined || !gitSyncsRefs(gitDir, count) || hasReflogs(gitDir) || !git.isIn(gitDir)) {
      this.end();
      return undefined;
    }
    this.#letGo();
    this.#usedAt = performance.now();
    return git;
  }

  /** Ends the kept git. */
  end(): void {
    this.#git?.close();
    this.#letGo();
    this.#usedAt = Number.NEGATIVE_INFINITY;
  }

  get #patienceMs(): number {
    return this.#idleMs ?? WAITS.keptGitMs;
  }

  #letGo(): void {
    clearTimeout(this.#timer);
    this.#git = undefined;
  }
}

/** Returns true where git may note the author of a change: that is in its environment, from its start. */
function hasReflogs(gitDir: string): boolean {
  return isReftable(gitDir) || existsSync(join(gitDir, "logs"));
}
