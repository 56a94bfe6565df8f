// A `git update-ref` that was started before its refs are known. Only one caller can take it; others start their own.

import type { RefAuthor } from "../../domain.ts";
import { gitSyncsRefs } from "../../io/disk.ts";
import type { GitContext } from "../process.ts";
import type { KeptGit } from "./kept-git.ts";
import { RefTransaction } from "./ref-transaction.ts";

/** Holds one started `git update-ref` until a caller takes it. */
export class StartedTransaction {
  readonly #gitDir: string;
  #transaction: RefTransaction | undefined;

  /**
   * Starts git at once, unless one is kept most likely. Dispose of it: that ends git, unless the transaction was taken.
   */
  constructor(context: GitContext, gitDir: string, options: { author?: RefAuthor; kept: KeptGit }) {
    this.#gitDir = gitDir;
    if (!options.kept.isLikely) this.#transaction = new RefTransaction(context, gitDir, options);
  }

  /**
   * Returns the transaction, which the caller then disposes of. Returns undefined when there is none, or it does not
   * fit. Its git stays in the directory where it was started, and another one may lie at that path by now. It syncs
   * each ref, which would be too slow for many refs.
   */
  take(gitDir: string, count: number): RefTransaction | undefined {
    const taken = this.#transaction;
    if (gitDir !== this.#gitDir || !gitSyncsRefs(gitDir, count) || !taken?.isIn(gitDir)) return undefined;
    this.#transaction = undefined;
    return taken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transaction?.[Symbol.asyncDispose]();
  }
}
