// A running `git update-ref --stdin`. It carries out one transaction after another.
import type { RefAuthor } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { gitSyncsRefs } from "../../io/disk.ts";
import type { Settings } from "../command/command.ts";
import type { LocalArguments } from "../command/operations.ts";
import { gitFailedError } from "../git-error.ts";
import { awaitAnswer } from "../hung/hung.ts";
import { finished, type GitContext, type GitProcess, spawnGit } from "../process.ts";
import { hookFolder } from "../ref-hook.ts";
import { worksIn } from "../working-directory.ts";

/** How the git of a transaction is started. */
export interface UpdateRefOptions {
  /** An upper bound for the number of commands in a transaction. */
  readonly count?: number;
  readonly author?: RefAuthor | undefined;
}

/** One process; see the head of this file. */
export class UpdateRef {
  readonly startedAt = performance.now();
  /** True: it runs no hook, and syncs each ref. So it fits the small transactions of all authors, without reflogs. */
  readonly isPlain: boolean;
  readonly #gitDir: string;
  readonly #child: GitProcess;
  readonly #end: Promise<{ exitCode: number; stderr: string }>;
  readonly #answers: AsyncIterator<string>;

  /** Starts git. Throws PREREQUISITE_MISSING for a hook that another user could have put there (ref-hook.ts). */
  constructor(context: GitContext, gitDir: string, { count = 1, author }: UpdateRefOptions) {
    this.#gitDir = gitDir;
    const isSyncing = gitSyncsRefs(gitDir, count);
    const settings: Settings = isSyncing ? {} : { "core.fsync": "none" };
    // The message in reflogs, where an operator has enabled them. git's own receive-pack writes "push" too.
    const message = author === undefined ? "lockstep" : "push";
    const args: LocalArguments = ["update-ref", "-m", message, "--no-deref", "--stdin", "-z"];
    const folder = author && hookFolder(gitDir, author);
    const by = author && { author: author.variables, ...(folder && { hooks: { folder } }) };
    this.isPlain = isSyncing && folder === undefined;
    this.#child = spawnGit(context, gitDir, args, { settings, writes: true, ...by });
    this.#end = finished(this.#child);
    this.#end.catch(() => {});
    this.#answers = lines(this.#child);
  }

  /**
   * Returns true while git runs in the directory at that path, where it was started. git stays in that directory when
   * it is moved. Another directory may be at the path by now.
   */
  isIn(gitDir: string): boolean {
    const { pid, exitCode, signalCode } = this.#child;
    if (gitDir !== this.#gitDir || exitCode !== null || signalCode !== null) return false;
    return worksIn(pid, gitDir);
  }

  /** Gives git commands, in latin1. */
  send(commands: string): void {
    this.#child.stdin.write(commands, "latin1");
  }

  /** Waits until git says that it has carried out that command. Returns false if git has refused it, and so ended. */
  async answer(command: string): Promise<boolean> {
    using _ = awaitAnswer(this.#child);
    const { value, done } = await this.#answers.next();
    if (done) return false;
    if (value === `${command}: ok`) return true;
    throw new LockstepError("GIT_FAILED", `git update-ref answered "${value}" in place of "${command}: ok".`);
  }

  /** Ends git, which releases the locks that it holds. */
  close(): void {
    this.#child.stdin.end();
  }

  /** Waits until git has ended. Returns true if a signal ended it: then it may have left locks. */
  async wasKilled(): Promise<boolean> {
    await this.#end.catch(() => {});
    return this.#child.signalCode !== null;
  }

  /** Waits until git has ended. Returns its words about a refusal, or else the error. */
  async refusal(): Promise<string | LockstepError> {
    const { exitCode, stderr } = await this.#end;
    const said = /^fatal: (?:prepare: )?(.*)/m.exec(stderr)?.[1];
    return said ?? gitFailedError(["update-ref"], exitCode, stderr);
  }

  /** Waits until git has ended. Returns the error. */
  async failure(): Promise<LockstepError> {
    const { exitCode, stderr } = await this.#end;
    return gitFailedError(["update-ref"], exitCode, stderr);
  }
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
