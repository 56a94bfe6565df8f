import type { History } from "../history.ts";
import { convergence, endings, leftovers, liveness } from "./at-the-end.ts";
import { atomicity } from "./atomicity.ts";
import { durability } from "./durability.ts";
import { elsewhere } from "./elsewhere.ts";
import { linearizability } from "./linearizability.ts";
import { monotonicReads, readYourWrites } from "./sessions.ts";
import type { Check, Verdict } from "./verdict.ts";
import { watching } from "./watching.ts";

const CHECKS: readonly Check[] = [
  readYourWrites,
  monotonicReads,
  linearizability,
  atomicity,
  durability,
  convergence,
  liveness,
  leftovers,
  elsewhere,
  endings,
  watching,
];

/** Runs every check on a history and returns the verdicts. */
export function verdictsOf(history: History): Verdict[] {
  return CHECKS.map((check) => check(history));
}
