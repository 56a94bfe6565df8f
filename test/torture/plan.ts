// What a client is going to do next, drawn from its own stream of random numbers: the same seed, the same plans, whatever the
// operations before came to.
import { type OperationKind, READS } from "./history.ts";
import { NAMES } from "./odd-names.ts";
import type { Random } from "./random.ts";

/** Refs of one generation of one repository; others follow, so that the history of each ref stays short enough to be searched. */
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
  /** The refs that it is about, by number. */
  readonly refs: readonly number[];
  /** With --force-with-lease and the exact values that the client believes in. */
  readonly lease: boolean;
  /** An atomic push, or a session, deletes its first ref. */
  readonly deletes: boolean;
  /** By the name of another ref that stands for it, where there is one. */
  readonly byAlias: boolean;
}

/** Draws the same count of numbers whatever comes out. */
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
