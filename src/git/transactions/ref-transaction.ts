// One `git update-ref --stdin` transaction, held open between prepare and commit: the refs stay locked while the
// database decides. If its input ends without a commit, git releases the locks.
import { type RefName, type RefValue, toLatin1 } from "../../domain.ts";
import { noteKilledWriter } from "../hung/hung.ts";
import type { GitContext } from "../process.ts";
import type { KeptGit } from "./kept-git.ts";
import { UpdateRef, type UpdateRefOptions } from "./update-ref.ts";

/** A ref to change. `oldValue` undefined: any value is right; null: the ref must not exist. */
export interface RefCommand {
  readonly name: RefName;
  readonly oldValue?: RefValue | null;
  readonly newValue: RefValue | null;
}

/** The reason why git refused the commands, in git's words. It is for people; code takes no names from it. */
export interface Refusal {
  readonly message: string;
}

/** Linux takes no longer path in a system call, the NUL at its end included. */
const PATH_LIMIT = 4_096;

/** Returns true when a lock of a ref, of packed-refs or of the reftable was in the way. Its process may be dead. */
export function isLocked({ message }: Refusal): boolean {
  return /\.lock': File exists|^cannot lock references/.test(message);
}

/** How a transaction gets its git. */
export interface TransactionOptions extends UpdateRefOptions {
  /** Has a git from an earlier transaction, perhaps, and keeps this one for the next. */
  readonly kept?: KeptGit | undefined;
}

/** One transaction; see the head of this file. */
export class RefTransaction {
  readonly #gitDir: string;
  readonly #start: () => UpdateRef;
  readonly #release: (git: UpdateRef) => void;
  #git: UpdateRef;
  /** True: git has carried out other transactions. It may have ended since. */
  readonly #isUsed: boolean;
  #asked = false;
  #over = false;
  #committed = false;

  /**
   * Starts git at once, so that the process is ready when the commands are, unless one was kept. Throws
   * PREREQUISITE_MISSING for a hook that another user could have put there (ref-hook.ts).
   */
  constructor(context: GitContext, gitDir: string, { kept, ...options }: TransactionOptions = {}) {
    this.#gitDir = gitDir;
    this.#start = () => new UpdateRef(context, gitDir, options);
    this.#release = (git) => (kept ? kept.keep(git, gitDir) : git.close());
    const used = kept?.take(context, gitDir, options);
    this.#isUsed = used !== undefined;
    this.#git = used ?? this.#start();
  }

  /** Returns true while git runs in the directory that lies at that path now. */
  isIn(gitDir: string): boolean {
    return this.#git.isIn(gitDir);
  }

  /**
   * Locks the refs, and checks old values and new objects. Returns a refusal (all locks released), or undefined when
   * prepared. Works once per transaction: after the first call git has ended, or holds the locks of that call. git
   * is not asked to lock a ref whose lock would have a path above Linux's limit. git works in the directory and could
   * make it, but this process could not remove the lock of a killed git.
   */
  async prepare(commands: readonly RefCommand[]): Promise<Refusal | undefined> {
    if (this.#asked || this.#over) throw new Error("this transaction was already prepared or has ended");
    this.#asked = true;
    const unreachable = commands.find(({ name }) => !isReachable(this.#gitDir, name));
    if (unreachable !== undefined)
      return { message: `cannot lock ref '${toLatin1(unreachable.name)}': File name too long` };
    const text = `start\0${commands.map(encode).join("")}prepare\0`;
    this.#git.send(text);
    let started = await this.#git.answer("start");
    if (!started && this.#isUsed) {
      this.#git = this.#start();
      this.#git.send(text);
      started = await this.#git.answer("start");
    }
    if (started && (await this.#git.answer("prepare"))) return undefined;
    this.#over = true;
    const said = await this.#git.refusal();
    if (typeof said !== "string") throw said;
    return { message: said };
  }

  /** Writes the prepared values into the refs. Throws GIT_FAILED when git fails, which may leave some refs changed. */
  async commit(): Promise<void> {
    this.#git.send("commit\0");
    const committed = await this.#git.answer("commit");
    this.#over = true;
    // git answers when the refs are in place and the locks are gone, so nobody waits for its end.
    if (committed) {
      this.#committed = true;
      this.#release(this.#git);
    } else {
      this.#git.close();
      throw await this.#git.failure();
    }
  }

  /** Releases the locks that git still holds, and waits until git has ended. Locks of a killed git are swept later. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#over) {
      this.#over = true;
      this.#git.close();
    }
    if (this.#committed) return;
    // A git that was asked for nothing has no locks.
    if ((await this.#git.wasKilled()) && this.#asked) noteKilledWriter(this.#gitDir);
  }
}

/** Returns true if a process in any directory can name the lock of that ref. */
function isReachable(gitDir: string, name: RefName): boolean {
  return Buffer.byteLength(gitDir) + toLatin1(name).length + "/.lock".length < PATH_LIMIT;
}

function encode({ name, oldValue, newValue }: RefCommand): string {
  const ref = toLatin1(name);
  const before = oldValue ? toLatin1(oldValue) : "";
  if (newValue === null) return `delete ${ref}\0${before}\0`;
  const after = toLatin1(newValue);
  // An empty old value means any value; an old value of zeros means a create.
  return `update ${ref}\0${after}\0${oldValue === null ? "0".repeat(after.length) : before}\0`;
}
