// The mutex of a replica, held while its refs change. Before it runs anything, it looks whether somebody else has
// changed the files since it was released. If so, the replica is in doubt, and its known version does not count. The
// same holds after a git that could write was killed. While such a git does not end, the mutex is given to nobody.
import { setImmediate as nextTurn } from "node:timers/promises";
import { Mutex } from "async-mutex";
import { assertAlone } from "../../git/borrowing/borrowing.ts";
import { assertNoStuckGit, takeKilledWriter, wasWriterKilled } from "../../git/hung/hung.ts";
import { type DiskMark, isWhole, markDisk } from "../../git/replica/disk-mark.ts";
import { doubtReplicaRecord } from "../../git/root/root-record.ts";

/** Called when the mutex is given back. */
export type OnHeld = (waitedMs: number, heldMs: number) => void;

export interface Watched {
  readonly gitDir: string;
  /** undefined: the replica is in doubt, so everything will be compared. */
  applied: bigint | undefined;
  /** True when the leftovers of a dead process have been removed. */
  swept: boolean;
}

/** Serialises the changes of the refs of one replica, and notices changes by others. */
export class ReplicaMutex extends Mutex {
  readonly #replica: Watched;
  readonly #onHeld: OnHeld;
  /** The mark of the files when the mutex was last released. undefined: nothing is known. */
  #mark: DiskMark | undefined;
  /**
   * The directory of the replica since its files were last compared. If another one appears while the mutex is held,
   * somebody else put it there.
   */
  #directory: string | undefined;
  /** How many changes of this process are under way without the mutex. */
  #beside = 0;
  /** The look that has not begun yet. */
  #nextLook: Promise<void> | undefined;
  /** Grows whenever a change of this process begins or ends. A mark that was being taken meanwhile does not count. */
  #turns = 0;
  /**
   * True while the files have not been compared since something went wrong with them. The note beside them does not
   * count then.
   */
  mistrusted = false;
  /** True when somebody else has changed the files since they were compared. */
  changedByOthers = false;

  constructor(replica: Watched, onHeld: OnHeld = () => {}) {
    super();
    this.#replica = replica;
    this.#onHeld = onHeld;
  }

  /**
   * Runs `run` while it holds the mutex. First come, first served. Throws GIT_HUNG at once if a git cannot be ended.
   */
  override async runExclusive<Result>(run: () => Promise<Result> | Result): Promise<Result> {
    return await this.runUnless(() => undefined, run);
  }

  /**
   * Like `runExclusive`, for work that somebody else may have done by the time when its turn comes. If `known` has its
   * result then, nothing runs, and nobody looks at the disk: the next one waits for this turn.
   */
  async runUnless<Result>(
    known: () => Promise<Result> | undefined,
    run: () => Promise<Result> | Result,
  ): Promise<Result> {
    assertNoStuckGit(this.#replica.gitDir);
    const askedAt = performance.now();
    return await super.runExclusive(async () => {
      const result = known();
      if (result !== undefined) return await result;
      const givenAt = performance.now();
      try {
        await this.#lookAsHolder();
        return await this.#marking(run);
      } finally {
        this.#onHeld(givenAt - askedAt, performance.now() - givenAt);
      }
    });
  }

  /**
   * Runs `run` while it holds the mutex, without a look for changes of others. For callers that compare everything
   * themselves and decide which directory is the replica.
   */
  async runAsItIs<Result>(run: () => Promise<Result> | Result): Promise<Result> {
    assertNoStuckGit(this.#replica.gitDir);
    return await super.runExclusive(async () => {
      assertNoStuckGit(this.#replica.gitDir);
      this.#directory = undefined;
      return await this.#marking(run);
    });
  }

  /**
   * Runs a change that may happen beside the holder of the mutex. It changes only refs of Lockstep that nobody reads,
   * or moves refs from one file to another.
   */
  async beside<Result>(run: () => Promise<Result>): Promise<Result> {
    this.#beside += 1;
    this.#turns += 1;
    try {
      return await run();
    } finally {
      this.#mark = undefined;
      this.#beside -= 1;
      if (!this.isLocked()) await this.#remark();
    }
  }

  /**
   * Puts the replica in doubt if somebody else has changed its files. Walks through no directory. Does not look while
   * this process itself changes the files. Callers of one turn of the event loop share a look. It begins after the
   * turn, so a question to the database goes out first. Throws GIT_HUNG if a git cannot be ended, and REPLICA_BORROWS.
   */
  async look(): Promise<void> {
    this.#nextLook ??= this.#lookNextTurn();
    await this.#nextLook;
  }

  async #lookNextTurn(): Promise<void> {
    await nextTurn();
    // A caller that comes from now on may have seen a change that this look misses.
    this.#nextLook = undefined;
    const { gitDir } = this.#replica;
    assertNoStuckGit(gitDir);
    assertAlone(gitDir);
    if (this.isLocked()) return;
    if (wasWriterKilled(gitDir) || (await this.#hasChanged())) await this.runExclusive(() => {});
  }

  /**
   * Looks more closely after a failure. Returns true when a part of the replica is missing, and puts the replica in
   * doubt.
   */
  async lookForMissing(): Promise<boolean> {
    const isMissing = !(await isWhole(this.#replica.gitDir));
    if (isMissing) await this.doubt();
    return isMissing;
  }

  /** Puts the replica in doubt as soon as nobody else holds the mutex. */
  async doubt(): Promise<void> {
    await super.runExclusive(() => this.#mistrust());
  }

  /** Puts the replica in doubt because somebody else has changed its files. */
  async distrust(): Promise<void> {
    await super.runExclusive(async () => {
      this.changedByOthers = true;
      await this.#mistrust();
    });
  }

  async #lookAsHolder(): Promise<void> {
    assertNoStuckGit(this.#replica.gitDir);
    if (takeKilledWriter(this.#replica.gitDir)) {
      this.#replica.swept = false;
      await this.#mistrust();
    } else if (await this.#hasChanged()) {
      this.changedByOthers = true;
      await this.#mistrust();
    }
  }

  async #hasChanged(): Promise<boolean> {
    const { gitDir, applied } = this.#replica;
    const before = this.#mark;
    if (applied === undefined || before === undefined || this.#beside > 0) return false;
    const looked = markDisk(gitDir, before);
    if (looked.refs !== before.refs) return true;
    if (looked.entries === before.entries) return false;
    const now = markDisk(gitDir);
    const turns = this.#turns;
    if (now.refs !== before.refs || !(await isWhole(gitDir))) return true;
    if (turns === this.#turns) this.#mark = now;
    return false;
  }

  async #mistrust(): Promise<void> {
    this.#replica.applied = undefined;
    this.mistrusted = true;
    // If the note cannot be written either, at least this process knows.
    await doubtReplicaRecord(this.#replica.gitDir).catch(() => {});
  }

  async #marking<Result>(run: () => Promise<Result> | Result): Promise<Result> {
    this.#turns += 1;
    // A caller that compares the files decides which directory is the replica.
    if (this.#replica.applied === undefined) this.#directory = undefined;
    try {
      return await run();
    } finally {
      await this.#remark();
    }
  }

  async #remark(): Promise<void> {
    this.#turns += 1;
    const known = this.#replica.applied !== undefined && this.#beside === 0;
    const mark = known ? markDisk(this.#replica.gitDir) : undefined;
    this.#mark = mark;
    if (mark === undefined) return;
    const exchanged = this.#directory !== undefined && this.#directory !== mark.directory;
    this.#directory = mark.directory;
    if (!exchanged) return;
    this.#mark = undefined;
    this.changedByOthers = true;
    await this.#mistrust();
  }
}
