// Starts the gits of a push before its commands come.
import type { RefAuthor } from "../../domain.ts";
import { startWalk, type Walk } from "../../git/objects/connectivity.ts";
import { StartedTransaction } from "../../git/transactions/started-transaction.ts";
import type { SyncContext } from "../device/context.ts";

/** Gits that wait for the refs of a push. */
export interface StartedGit extends AsyncDisposable {
  /** undefined: it could not be started. */
  readonly transaction?: StartedTransaction;
  /** Returns the walk that tells whether new values are whole, once, and only for that repository. */
  walkOf(gitDir: string): Walk | undefined;
}

/**
 * Starts the gits of a push before its commands come, because a start takes as long as all the rest of a small push.
 * undefined: this process does not know the version of the replica. The caller disposes the result.
 */
export function startGitEarly(
  context: SyncContext,
  repository: string,
  { author, gone }: { author: RefAuthor; gone: AbortSignal },
): StartedGit | undefined {
  const known = context.replicas.findByName(repository);
  if (known?.applied === undefined) return undefined;
  // The walk may look for old objects before the push itself has its claim.
  const claim = known.objects.claimNow();
  if (claim === undefined) return undefined;
  const { gitDir } = known;
  const transaction = unlessRefused(() => new StartedTransaction(context.git, gitDir, { author, kept: known.keptGit }));
  const walk = unlessRefused(() => startWalk(context.git, gitDir, { signal: gone }));
  let taken = false;
  return {
    ...(transaction && { transaction }),
    walkOf(wanted) {
      if (taken || wanted !== gitDir) return undefined;
      taken = true;
      return walk;
    },
    async [Symbol.asyncDispose]() {
      claim[Symbol.dispose]();
      await Promise.all([transaction?.[Symbol.asyncDispose](), walk?.[Symbol.asyncDispose]()]);
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
