// One `git update-ref --stdin` transaction, held open between prepare and commit: the refs stay locked while the
// database decides. If its input ends without a commit, git releases the locks.
import { type RefAuthor, type RefName, type RefValue, toLatin1 } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { gitSyncsRefs } from "../../io/disk.ts";
import type { Settings } from "../command/command.ts";
import type { LocalArguments } from "../command/operations.ts";
import { gitFailedError } from "../git-error.ts";
import { awaitAnswer } from "../hung/hung.ts";
import { finished, type GitContext, type GitProcess, spawnGit } from "../process.ts";
import { hookFolder } from "../ref-hook.ts";

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

/** Returns true when a lock of a ref, of packed-refs or of the reftable was in the way. Its process may be dead. */
export function isLocked({ message }: Refusal): boolean {
  return /\.lock': File exists|^cannot lock references/.test(message);
}

/** One transaction; see the head of this file. */
export class RefTransaction {
  readonly #child: GitProcess;
  readonly #end: Promise<{ exitCode: number; stderr: string }>;
  readonly #answers: AsyncIterator<string>;
  #asked = false;
  #over = false;
  #committed = false;

  /**
   * Starts git at once, so that the process is ready when the commands are. `count`: an upper bound for the number of
   * commands. Throws PREREQUISITE_MISSING for a hook that another user could have put there (ref-hook.ts).
   */
  constructor(context: GitContext, gitDir: string, { count = 1, author }: { count?: number; author?: RefAuthor } = {}) {
    const settings: Settings = gitSyncsRefs(gitDir, count) ? {} : { "core.fsync": "none" };
    // The message in reflogs, where an operator has enabled them. git's own receive-pack writes "push" too.
    const message = author === undefined ? "lockstep" : "push";
    const args: LocalArguments = ["update-ref", "-m", message, "--no-deref", "--stdin", "-z"];
    const folder = author && hookFolder(gitDir, author);
    const by = author && { author: author.variables, ...(folder && { hooks: { folder } }) };
    this.#child = spawnGit(context, gitDir, args, { settings, writes: true, ...by });
    this.#end = finished(this.#child);
    this.#end.catch(() => {});
    this.#answers = lines(this.#child);
  }

  /**
   * Locks the refs, and checks old values and new objects. Returns a refusal (all locks released), or undefined when
   * prepared. Works once per transaction: after the first call git has ended, or holds the locks of that call.
   */
  async prepare(commands: readonly RefCommand[]): Promise<Refusal | undefined> {
    if (this.#asked || this.#over) throw new Error("this transaction was already prepared or has ended");
    this.#asked = true;
    this.#child.stdin.write(`start\0${commands.map(encode).join("")}prepare\0`, "latin1");
    if ((await this.#answer("start")) && (await this.#answer("prepare"))) return undefined;
    this.#over = true;
    const { exitCode, stderr } = await this.#end;
    const said = /^fatal: (?:prepare: )?(.*)/m.exec(stderr)?.[1];
    if (said === undefined) throw gitFailedError(["update-ref"], exitCode, stderr);
    return { message: said };
  }

  /** Writes the prepared values into the refs. Throws GIT_FAILED when git fails, which may leave some refs changed. */
  async commit(): Promise<void> {
    this.#child.stdin.write("commit\0");
    const committed = await this.#answer("commit");
    this.#over = true;
    this.#child.stdin.end();
    // git answers when the refs are in place and the locks are gone, so nobody waits for its end.
    if (committed) this.#committed = true;
    else throw await this.#failureError();
  }

  /** Releases the locks that git still holds, and waits until git has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#over) {
      this.#over = true;
      this.#child.stdin.end();
    }
    // If git could not be started, there are no locks.
    if (!this.#committed) await this.#end.catch(() => {});
  }

  async #failureError(): Promise<LockstepError> {
    const { exitCode, stderr } = await this.#end;
    return gitFailedError(["update-ref"], exitCode, stderr);
  }

  async #answer(word: string): Promise<boolean> {
    using _ = awaitAnswer(this.#child);
    const { value, done } = await this.#answers.next();
    if (done) return false;
    if (value === `${word}: ok`) return true;
    throw new LockstepError("GIT_FAILED", `git update-ref answered "${value}" in place of "${word}: ok".`);
  }
}

function encode({ name, oldValue, newValue }: RefCommand): string {
  const ref = toLatin1(name);
  const before = oldValue ? toLatin1(oldValue) : "";
  if (newValue === null) return `delete ${ref}\0${before}\0`;
  const after = toLatin1(newValue);
  // An empty old value means any value; an old value of zeros means a create.
  return `update ${ref}\0${after}\0${oldValue === null ? "0".repeat(after.length) : before}\0`;
}

/** Returns the lines that git writes. The output of a killed git ends like that of another one. */
async function* lines(child: GitProcess): AsyncIterator<string> {
  let rest = "";
  try {
    for await (const chunk of child.stdout) {
      rest += String(chunk);
      for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
        yield rest.slice(0, end);
        rest = rest.slice(end + 1);
      }
    }
  } catch {
    // The end of the process says why.
  }
}
