// A `git update-ref` that was started before its refs are known. It can be taken once: whoever needs a second one starts its own.

import type { RefAuthor } from "../../domain.ts";
import { gitSyncsRefs } from "../../io/disk.ts";
import type { GitContext } from "../process.ts";
import { RefTransaction } from "./ref-transaction.ts";

export class StartedTransaction {
  readonly #gitDir: string;
  #transaction: RefTransaction | undefined;

  /** Starts git at once. To be disposed of: that ends git, unless it was taken. */
  constructor(context: GitContext, gitDir: string, author?: RefAuthor) {
    this.#gitDir = gitDir;
    this.#transaction = new RefTransaction(context, gitDir, author && { author });
  }

  /**
   * The transaction, which is the caller's to dispose of from now on. undefined where it was taken before, or does not fit: it is
   * bound to its repository, and its git syncs each ref, which many refs are not to have.
   */
  take(gitDir: string, count: number): RefTransaction | undefined {
    if (gitDir !== this.#gitDir || !gitSyncsRefs(gitDir, count)) return undefined;
    const taken = this.#transaction;
    this.#transaction = undefined;
    return taken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transaction?.[Symbol.asyncDispose]();
  }
}
