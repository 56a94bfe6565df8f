// The output of a git, kept while it is passed on.
import type { GitChild } from "../../smart-http/git-child.ts";

/** Keeps output up to a limit. */
export class Recording {
  readonly #most: number;
  #chunks: Buffer[] = [];
  #length = 0;
  #isWhole = false;

  constructor(most: number) {
    this.#most = most;
  }

  /** Notes a part of git's output. */
  add(chunk: Buffer): void {
    this.#length += chunk.length;
    if (this.#length <= this.#most) this.#chunks.push(chunk);
    else this.#chunks = [];
  }

  /** Notes that git's output has ended. */
  end(): void {
    this.#isWhole = this.#length <= this.#most;
  }

  /** Returns the whole output if git has ended well. */
  async outputOf(git: GitChild): Promise<Buffer | undefined> {
    if (!this.#isWhole || git.stopped || (await git.ended).code !== 0) return undefined;
    return Buffer.concat(this.#chunks);
  }
}
