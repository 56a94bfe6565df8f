// A running `git cat-file --batch-command`. It reads objects of one repository for several callers at once.
import type { LocalArguments } from "../command/operations.ts";
import { gitFailedError } from "../git-error.ts";
import { awaitAnswer } from "../hung/hung.ts";
import { finished, type GitContext, type GitProcess, spawnGit } from "../process.ts";
import { worksIn } from "../working-directory.ts";

/** An object of a repository. */
export interface ObjectRead {
  readonly id: string;
  readonly type: string;
  /** Empty if only its type was asked for. */
  readonly content: Buffer;
}

/** A larger object is not read: git would send all of it. */
const CONTENT_LIMIT = 1024 * 1024;

interface Question {
  readonly withContent: boolean;
  readonly resolve: (object: ObjectRead | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** One process; see the head of this file. */
export class ObjectReader {
  readonly startedAt = performance.now();
  readonly #gitDir: string;
  readonly #child: GitProcess;
  /** In the order in which git answers them. */
  readonly #questions: Question[] = [];
  #waiting: Disposable | undefined;
  #received: Buffer = Buffer.alloc(0);
  #failure: unknown;

  /** Starts git. Throws REPLICA_BORROWS. */
  constructor(context: GitContext, gitDir: string) {
    this.#gitDir = gitDir;
    const args: LocalArguments = ["cat-file", "--batch-command"];
    this.#child = spawnGit(context, gitDir, args);
    this.#child.stdout.on("data", (chunk: Buffer) => this.#take(chunk));
    finished(this.#child).then(
      ({ exitCode, stderr }) => this.#fail(gitFailedError(args, exitCode, stderr)),
      (error: unknown) => this.#fail(error),
    );
  }

  /** Returns true while git runs in the directory at that path, where it was started. */
  isIn(gitDir: string): boolean {
    return gitDir === this.#gitDir && this.#failure === undefined && worksIn(this.#child.pid, gitDir);
  }

  /**
   * Reads objects, each named by its id or by a ref (in latin1). undefined: it is not here. Throws GIT_FAILED if git
   * has ended or an object is larger than 1 MiB, and GIT_HUNG.
   */
  async read(names: readonly string[]): Promise<(ObjectRead | undefined)[]> {
    return await this.#ask("contents", names);
  }

  /** Returns the types of objects, without their content. undefined: it is not here. Throws as `read` does. */
  async types(names: readonly string[]): Promise<(string | undefined)[]> {
    return (await this.#ask("info", names)).map((object) => object?.type);
  }

  /** Lets git end once it has given its answers. */
  close(): void {
    this.#child.stdin.end();
  }

  async #ask(command: "contents" | "info", names: readonly string[]): Promise<(ObjectRead | undefined)[]> {
    if (this.#failure !== undefined) throw this.#failure;
    if (names.length === 0) return [];
    const answers = names.map(
      () =>
        new Promise<ObjectRead | undefined>((resolve, reject) => {
          this.#questions.push({ withContent: command === "contents", resolve, reject });
        }),
    );
    this.#waiting ??= awaitAnswer(this.#child);
    this.#child.stdin.write(names.map((name) => `${command} ${name}\n`).join(""), "latin1");
    return await Promise.all(answers);
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    while (this.#answerOne());
    if (this.#questions.length > 0) return;
    this.#waiting?.[Symbol.dispose]();
    this.#waiting = undefined;
  }

  /** Gives the next question its answer. Returns false if git has not sent all of the answer. */
  #answerOne(): boolean {
    const [question] = this.#questions;
    const end = this.#received.indexOf("\n");
    if (question === undefined || end < 0) return false;
    const [id = "", type = "", size = ""] = this.#received.toString("latin1", 0, end).split(" ");
    // Such as "refs/heads/main missing". Names have no spaces.
    if (!/^[0-9]+$/.test(size)) {
      this.#answered(end + 1, undefined);
      return true;
    }
    const length = question.withContent ? Number(size) : 0;
    if (length > CONTENT_LIMIT) {
      this.#fail(gitFailedError(["cat-file"], -1, `${id} is larger than 1 MiB`));
      this.#child.kill("SIGKILL");
      return false;
    }
    // A line feed follows the content.
    const next = end + 1 + (question.withContent ? length + 1 : 0);
    if (this.#received.length < next) return false;
    this.#answered(next, { id, type, content: this.#received.subarray(end + 1, end + 1 + length) });
    return true;
  }

  #answered(consumed: number, object: ObjectRead | undefined): void {
    this.#received = this.#received.subarray(consumed);
    this.#questions.shift()?.resolve(object);
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#waiting?.[Symbol.dispose]();
    this.#waiting = undefined;
    for (const { reject } of this.#questions.splice(0)) reject(this.#failure);
  }
}
