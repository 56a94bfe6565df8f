import type { CachedAnswer } from "./answer-cache.ts";
import type { Grant } from "./grant.ts";

/** Says for one kind of question whether an answer of git is still what git would say. */
export interface Rule {
  /** Returns the mark from which on the sidecar is to tell changes. undefined: the rule needs no changes. */
  readonly since: (found: CachedAnswer | undefined) => string | undefined;
  /**
   * Returns what git would answer now, from a kept answer and a grant of the sidecar, which was asked later. undefined:
   * only git knows.
   */
  readonly now: (found: CachedAnswer, grant: Grant) => Buffer | undefined;
  /** Returns whether a new answer of git may be kept. */
  readonly mayKeep: (answer: CachedAnswer) => boolean;
}
