// Held while refs of a replica change. Whoever gets it learns first whether somebody else has changed the files since: then the replica
// is in doubt, and nothing is built on what it was known to hold.
import { Mutex } from "async-mutex";
import { type DiskMark, isWhole, markDisk } from "../../git/replica/disk-mark.ts";
import { doubtReplicaRecord } from "../../git/root/root-record.ts";

export interface Watched {
  readonly gitDir: string;
  /** Undefined: in doubt, so that everything will be compared. */
  applied: bigint | undefined;
}

export class ReplicaMutex extends Mutex {
  readonly #replica: Watched;
  /** As of the last time that it was held; undefined: nothing is known. */
  #mark: DiskMark | undefined;
  /** Which directory it is, since its files were last compared: another one that appears while the mutex is held is no work of ours. */
  #directory: string | undefined;
  /** Changes of ours that are under way without the mutex. */
  #beside = 0;
  /** Grows whenever somebody of ours begins or ends to change something: a mark that was being taken meanwhile counts for nothing. */
  #turns = 0;
  /** The files have not been compared since something went wrong with them: what is noted beside them counts for nothing. */
  mistrusted = false;
  /** Somebody else has changed them since they were compared. */
  changedByOthers = false;

  constructor(replica: Watched) {
    super();
    this.#replica = replica;
  }

  /** First come, first served. */
  override async runExclusive<Result>(run: () => Promise<Result> | Result): Promise<Result> {
    return await super.runExclusive(async () => {
      if (await this.#hasChanged()) {
        this.changedByOthers = true;
        await this.#mistrust();
      }
      return await this.#marking(run);
    });
  }

  /** The same for those who compare everything themselves: what others changed is left to them. */
  async runAsItIs<Result>(run: () => Promise<Result> | Result): Promise<Result> {
    return await super.runExclusive(async () => {
      this.#directory = undefined;
      return await this.#marking(run);
    });
  }

  /** Runs what changes refs of ours that nobody reads, or moves refs from one file to another, beside those who have the mutex. */
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

  /** Puts the replica in doubt if somebody else has changed its files. Costs no walk. While something of ours is at work, it looks later. */
  async look(): Promise<void> {
    if (!this.isLocked() && (await this.#hasChanged())) await this.runExclusive(() => {});
  }

  /** Looks more closely, after something failed: true where a part of the replica is missing, which puts it in doubt. */
  async lookForMissing(): Promise<boolean> {
    if (await isWhole(this.#replica.gitDir)) return false;
    await super.runExclusive(() => this.#mistrust());
    return true;
  }

  /** Puts the replica in doubt: somebody else has changed its files. */
  async distrust(): Promise<void> {
    await super.runExclusive(async () => {
      this.changedByOthers = true;
      await this.#mistrust();
    });
  }

  async #hasChanged(): Promise<boolean> {
    const { gitDir, applied } = this.#replica;
    const before = this.#mark;
    const turns = this.#turns;
    if (applied === undefined || before === undefined || this.#beside > 0) return false;
    const looked = await markDisk(gitDir, before);
    if (turns !== this.#turns) return false;
    if (looked.refs !== before.refs) return true;
    if (looked.entries === before.entries) return false;
    const now = await markDisk(gitDir);
    if (turns !== this.#turns) return false;
    if (now.refs !== before.refs || !(await isWhole(gitDir))) return true;
    this.#mark = now;
    return false;
  }

  async #mistrust(): Promise<void> {
    this.#replica.applied = undefined;
    this.mistrusted = true;
    // Where it cannot be written either, this process knows.
    await doubtReplicaRecord(this.#replica.gitDir).catch(() => {});
  }

  async #marking<Result>(run: () => Promise<Result> | Result): Promise<Result> {
    this.#turns += 1;
    // Whoever compares the files decides which directory it is.
    if (this.#replica.applied === undefined) this.#directory = undefined;
    try {
      return await run();
    } finally {
      await this.#remark();
    }
  }

  async #remark(): Promise<void> {
    this.#turns += 1;
    const turns = this.#turns;
    const known = this.#replica.applied !== undefined && this.#beside === 0;
    const mark = known ? await markDisk(this.#replica.gitDir) : undefined;
    if (turns !== this.#turns) return;
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
