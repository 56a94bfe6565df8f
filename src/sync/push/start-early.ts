// Starts the gits of a push before its commands come.
import type { RefAuthor } from "../../domain.ts";
import { StartedTransaction } from "../../git/transactions/started-transaction.ts";
import type { SyncContext } from "../device/context.ts";

/** A git that waits for the refs of a push. */
export interface StartedGit extends AsyncDisposable {
  /** undefined: it could not be started. */
  readonly transaction?: StartedTransaction;
}

/**
 * Starts the gits of a push before its commands come, because a start takes as long as all the rest of a small push.
 * The git that reads new objects is that of the replica, and may run already. undefined: this process does not know
 * the version of the replica. The caller disposes the result.
 */
export function startGitEarly(context: SyncContext, repository: string, author: RefAuthor): StartedGit | undefined {
  const known = context.replicas.findByName(repository);
  if (known?.applied === undefined) return undefined;
  const { gitDir, keptGit, keptReader } = known;
  const transaction = unlessRefused(() => new StartedTransaction(context.git, gitDir, { author, kept: keptGit }));
  unlessRefused(() => keptReader.get(context.git, gitDir));
  return {
    ...(transaction && { transaction }),
    async [Symbol.asyncDispose]() {
      await transaction?.[Symbol.asyncDispose]();
    },
  };
}

/** Returns undefined if a git is not started. The push itself finds out why. */
function unlessRefused<Started>(start: () => Started): Started | undefined {
  try {
    return start();
  } catch {
    return undefined;
  }
}
