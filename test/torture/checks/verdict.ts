import type { History } from "../history.ts";

/** A broken guarantee. */
export interface Violation {
  /** One sentence. */
  readonly what: string;
  /** The ids of the operations that show the violation. Empty if no operation shows it. */
  readonly operations: readonly number[];
}

export interface Verdict {
  readonly check: string;
  /** The number of things that the check looked at. A check that looked at nothing proves nothing. */
  readonly looked: number;
  readonly violations: readonly Violation[];
}

/** A pure function of the history. */
export type Check = (history: History) => Verdict;
