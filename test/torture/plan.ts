// Draws the next operation of a client from the client's own stream of random numbers. The same seed gives the same
// plans, also when earlier operations ended differently.
import { type OperationKind, READS } from "./history.ts";
import { NAMES } from "./odd-names.ts";
import type { Random } from "./random.ts";

/**
 * The number of refs in one generation. New generations follow, so that the history of each ref stays short to search.
 */
export const REFS = NAMES.length;

const WEIGHTS: Readonly<Record<OperationKind, number>> = {
  create: 4,
  update: 30,
  force: 10,
  delete: 8,
  atomic: 12,
  session: 5,
  "ls-remote": 22,
  fetch: 11,
  clone: 3,
};

export interface Plan {
  readonly operation: OperationKind;
  readonly repository: string;
  readonly device: string;
  /** The numbers of its refs. */
  readonly refs: readonly number[];
  /** Whether the push uses --force-with-lease with the exact values that the client believes in. */
  readonly lease: boolean;
  /** Whether an atomic push or a session deletes its first ref. */
  readonly deletes: boolean;
  /** Whether the push uses the name of a symbolic ref for its ref, if there is one. */
  readonly byAlias: boolean;
}

/** Draws a plan. It always draws the same count of numbers. */
export function drawPlan(random: Random, repositories: readonly string[], devices: readonly string[]): Plan {
  const operation = random.weighted(WEIGHTS);
  const first = random.between(0, REFS - 1);
  const second = (first + random.between(1, REFS - 1)) % REFS;
  return {
    operation,
    repository: random.pick(repositories),
    device: random.pick(devices),
    refs: operation === "atomic" || operation === "session" ? [first, second] : [first],
    lease: random.percent(60),
    deletes: random.percent(15),
    byAlias: random.percent(40),
  };
}

export function isRead(operation: OperationKind): operation is (typeof READS)[number] {
  return (READS as readonly string[]).includes(operation);
}
