// The git that reads the objects of a busy replica. It stays for a moment after a read, because a start costs more than
// the reading.
import { IdleGit } from "../idle-git.ts";
import type { GitContext } from "../process.ts";
import { ObjectReader } from "./object-reader.ts";

/** Keeps one git for all that read objects of one replica. */
export class KeptReader {
  readonly #idle: IdleGit<ObjectReader>;

  /** `idleMs`: for how long git stays after a read. Default: that of the table of waits. */
  constructor(idleMs?: number) {
    this.#idle = new IdleGit(idleMs);
  }

  /** Returns the git of this directory. Starts it if none fits. Throws REPLICA_BORROWS. */
  get(context: GitContext, gitDir: string): ObjectReader {
    const kept = this.#idle.git;
    const fits = kept !== undefined && !this.#idle.isOld(kept) && kept.isIn(gitDir);
    if (!fits) this.end();
    const reader = fits ? kept : new ObjectReader(context, gitDir);
    this.#idle.keep(reader);
    return reader;
  }

  /** Ends the git once it has given its answers. To be called when objects were removed: git may hold them open. */
  end(): void {
    this.#idle.end();
  }
}
