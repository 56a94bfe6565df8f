import type { History } from "../history.ts";

/** Something that must not be. */
export interface Violation {
  /** One sentence. */
  readonly what: string;
  /** The operations that it shows in, by id; empty where it shows elsewhere. */
  readonly operations: readonly number[];
}

export interface Verdict {
  readonly check: string;
  /** How many things were looked at; a check that looked at nothing proves nothing. */
  readonly looked: number;
  readonly violations: readonly Violation[];
}

/** A pure function of the history. */
export type Check = (history: History) => Verdict;
