// The git that reads the objects of a busy replica. It stays for a moment after a read, because a start costs more than
// the reading.
import { WAITS } from "../../waits.ts";
import type { GitContext } from "../process.ts";
import { ObjectReader } from "./object-reader.ts";

/** For how many idle times git may stay in all. It holds open each pack that it has read. */
const IDLE_TIMES = 10;

/** Keeps one git for all that read objects of one replica. */
export class KeptReader {
  readonly #ownIdleMs: number | undefined;
  #reader: ObjectReader | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `idleMs`: for how long git stays after a read. Default: that of the table of waits. */
  constructor(idleMs?: number) {
    this.#ownIdleMs = idleMs;
  }

  /** Returns the git of this directory. Starts it if none fits. Throws REPLICA_BORROWS. */
  get(context: GitContext, gitDir: string): ObjectReader {
    const kept = this.#reader;
    if (kept && (performance.now() - kept.startedAt > IDLE_TIMES * this.#idleMs || !kept.isIn(gitDir))) this.end();
    this.#reader ??= new ObjectReader(context, gitDir);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.end(), this.#idleMs).unref();
    return this.#reader;
  }

  get #idleMs(): number {
    return this.#ownIdleMs ?? WAITS.keptGitMs;
  }

  /** Ends the git once it has given its answers. To be called when objects were removed: git may hold them open. */
  end(): void {
    clearTimeout(this.#timer);
    this.#reader?.close();
    this.#reader = undefined;
  }
}
