// The git of a busy replica. It stays for a moment after a transaction, because a start costs more than a small
// transaction. A replica has one such git at most, since its mutex lets through one transaction after another.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { gitSyncsRefs, isReftable } from "../../io/disk.ts";
import { assertAlone } from "../borrowing/borrowing.ts";
import { IdleGit } from "../idle-git.ts";
import type { GitContext } from "../process.ts";
import { hookFolder } from "../ref-hook.ts";
import type { UpdateRef, UpdateRefOptions } from "./update-ref.ts";

/** Keeps a git between two transactions of one replica. */
export class KeptGit {
  readonly #idle: IdleGit<UpdateRef>;
  #usedAt = Number.NEGATIVE_INFINITY;

  /** `idleMs`: for how long git stays after a transaction. Default: that of the table of waits. */
  constructor(idleMs?: number) {
    this.#idle = new IdleGit(idleMs);
  }

  /** True: a transaction ended a moment ago or is under way, so the next one most likely needs no new git. */
  get isLikely(): boolean {
    return performance.now() - this.#usedAt < this.#idle.idleMs;
  }

  /** Keeps git for the next transaction, or ends it. It has just committed one in this directory. */
  keep(git: UpdateRef, gitDir: string): void {
    this.end();
    if (!git.isPlain || this.#idle.isOld(git) || hasReflogs(gitDir)) {
      git.close();
      return;
    }
    this.#usedAt = performance.now();
    this.#idle.keep(git);
  }

  /**
   * Returns the kept git, which is then the caller's, if it fits. Throws like the start of a git would:
   * PREREQUISITE_MISSING, REPLICA_BORROWS.
   */
  take(context: GitContext, gitDir: string, { count = 1, author }: UpdateRefOptions): UpdateRef | undefined {
    const { git } = this.#idle;
    if (git === undefined) return undefined;
    assertAlone(gitDir, context);
    const hooks = author && hookFolder(gitDir, author);
    if (hooks !== undefined || !gitSyncsRefs(gitDir, count) || hasReflogs(gitDir) || !git.isIn(gitDir)) {
      this.end();
      return undefined;
    }
    this.#idle.letGo();
    this.#usedAt = performance.now();
    return git;
  }

  /** Ends the kept git. */
  end(): void {
    this.#idle.end();
    this.#usedAt = Number.NEGATIVE_INFINITY;
  }
}

/** Returns true where git may note the author of a change: that is in its environment, from its start. */
export function hasReflogs(gitDir: string): boolean {
  return isReftable(gitDir) || existsSync(join(gitDir, "logs"));
}
