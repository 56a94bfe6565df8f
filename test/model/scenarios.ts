// The scenarios to explore: few devices, few refs, and a limit for each kind of fault.
import type { RuleName } from "./rules.ts";
import type { Budget, Model, Shape } from "./state.ts";

export interface Scenario {
  readonly name: string;
  readonly model: Omit<Model, "off">;
}

const NOTHING: Budget = {
  writes: 0,
  sessions: 0,
  reads: 0,
  kills: 0,
  stops: 0,
  net: 0,
  leases: 0,
  demotes: 0,
  trims: 0,
  failOvers: 0,
  disks: 0,
  prunes: 0,
  writeStops: 0,
  groups: 0,
};

const ONE: Shape = [[0, "write"]];
const OTHER: Shape = [[1, "write"]];
const BOTH: Shape = [
  [0, "write"],
  [1, "write"],
];
const THIRD: Shape = [[2, "write"]];
const DELETE: Shape = [[0, "delete"]];

function model(budget: Partial<Budget>, rest: Partial<Omit<Model, "budget" | "off">> = {}): Omit<Model, "off"> {
  return {
    devices: 2,
    refs: 1,
    shapes: [[ONE]],
    nested: false,
    before: [],
    minCopies: 1,
    ...rest,
    budget: { ...NOTHING, ...budget },
  };
}

const TWO_REFS = { refs: 2, shapes: [[ONE, OTHER, BOTH]] };
/** The refs x and x/y: first x exists, then x is deleted, then x/y is made. */
const NESTED = { refs: 2, nested: true, before: [ONE], shapes: [[ONE], [DELETE], [OTHER]] };
/** The ref 0 is an alias, through which the other writes come. */
const ALIAS = { refs: 2, shapes: [[ONE, [[0, "see"] as const, [1, "write"] as const]]] };
/** The refs x and x/y, neither of which exists. */
const NESTED_NEW = { refs: 2, nested: true, shapes: [[ONE, OTHER]] };
/** Two pushes that may be decided together, and a third one. */
const GROUP = { refs: 2, shapes: [[ONE], [OTHER], [ONE, OTHER]] };
/** The second of the two finds its ref changed, perhaps by another device. */
const GROUP_IN_THE_WAY = { refs: 2, shapes: [[OTHER], [ONE], [OTHER]] };
const GROUP_OF_THREE = { refs: 3, shapes: [[ONE], [OTHER], [THIRD], [ONE, THIRD]] };
const BACK_AND_FORTH = { shapes: [[ONE], [DELETE], [ONE]] };

export const SCENARIOS: readonly Scenario[] = [
  { name: "a crash and a read", model: model({ writes: 2, kills: 1, reads: 1 }) },
  { name: "a stopped process and a read", model: model({ writes: 2, stops: 1, reads: 1 }) },
  { name: "doubt, a crash, a stopped process", model: model({ writes: 1, kills: 1, stops: 1, reads: 1, net: 1 }) },
  { name: "two refs", model: model({ writes: 1, kills: 1, reads: 1, net: 1 }, TWO_REFS) },
  { name: "two refs, two writes", model: model({ writes: 2, kills: 1 }, TWO_REFS) },
  { name: "three devices", model: model({ writes: 2, reads: 1 }, { devices: 3 }) },
  { name: "a session and lost answers", model: model({ writes: 2, sessions: 1, reads: 1, net: 1 }) },
  { name: "a session and a crash", model: model({ writes: 2, sessions: 1, kills: 1, leases: 1 }) },
  { name: "a session, its lease and a stopped process", model: model({ writes: 2, sessions: 1, stops: 1, leases: 1 }) },
  { name: "a demote and a read", model: model({ writes: 2, reads: 1, demotes: 1 }) },
  { name: "a demote and a crash", model: model({ writes: 2, kills: 1, demotes: 1 }) },
  { name: "a demote, a crash and two refs", model: model({ writes: 2, kills: 1, demotes: 1 }, TWO_REFS) },
  { name: "two copies, a lost disk, pruning", model: model({ writes: 2, disks: 1, prunes: 1 }, { minCopies: 2 }) },
  { name: "one copy and a lost disk", model: model({ writes: 2, disks: 1 }) },
  { name: "a trimmed log and a crash", model: model({ writes: 2, kills: 1, trims: 1 }) },
  { name: "a fail-over and a crash", model: model({ writes: 2, kills: 1, failOvers: 1 }) },
  { name: "a fail-over, doubt and a read", model: model({ writes: 2, net: 1, reads: 1, failOvers: 1 }) },
  {
    name: "a fail-over with two refs",
    model: model({ writes: 3, failOvers: 1 }, { refs: 2, shapes: [[ONE], [OTHER]] }),
  },
  { name: "writes through an alias", model: model({ writes: 2, kills: 1, reads: 1 }, ALIAS) },
  { name: "two refs in each other's way", model: model({ writes: 2, kills: 1, reads: 1 }, NESTED_NEW) },
  { name: "two refs, three writes and pruning", model: model({ writes: 3, prunes: 1 }, TWO_REFS) },
  { name: "a ref deleted and one below it created", model: model({ writes: 2, kills: 1 }, NESTED) },
  { name: "a stop of writes", model: model({ writes: 2, kills: 1, writeStops: 1 }) },
  { name: "pushes decided together and a crash", model: model({ writes: 3, groups: 1, kills: 1 }, GROUP) },
  { name: "pushes decided together, doubt, a read", model: model({ writes: 2, groups: 1, net: 2, reads: 1 }, GROUP) },
  { name: "pushes decided together, one in the way", model: model({ writes: 3, groups: 1 }, GROUP_IN_THE_WAY) },
  { name: "pushes decided together, a stopped process", model: model({ writes: 3, groups: 1, stops: 1 }, GROUP) },
  { name: "pushes decided together, a fail-over", model: model({ writes: 3, groups: 1, failOvers: 1 }, GROUP) },
  { name: "pushes decided together, a stop of writes", model: model({ writes: 2, groups: 1, writeStops: 1 }, GROUP) },
  { name: "three pushes decided together, doubt", model: model({ writes: 4, groups: 2, net: 1 }, GROUP_OF_THREE) },
];

/** All kinds of faults at once, for random walks. */
export const ALL_TROUBLES: readonly Scenario[] = [
  {
    name: "crashes, doubt, sessions, demotes, trims, stops of writes",
    model: model(
      {
        ...{ writes: 7, groups: 2, sessions: 2, reads: 6, kills: 3, stops: 2, net: 3 },
        ...{ leases: 1, demotes: 1, trims: 2, writeStops: 1 },
      },
      { devices: 3, ...TWO_REFS },
    ),
  },
  {
    name: "fail-overs, crashes, doubt",
    model: model({ writes: 6, reads: 6, kills: 2, stops: 1, net: 2, failOvers: 1 }, { devices: 3, ...TWO_REFS }),
  },
  {
    name: "two copies, lost disks, crashes, pruning",
    model: model(
      { writes: 6, reads: 4, kills: 2, net: 1, disks: 1, prunes: 3 },
      { devices: 3, minCopies: 2, ...TWO_REFS },
    ),
  },
];

/** For each rule, the scenario in which its absence is noticed first. */
export const WITHOUT: Readonly<Record<RuleName, Omit<Model, "off">>> = {
  freshness: model({ writes: 1, reads: 1 }),
  "next-query": model({ writes: 1, reads: 1 }),
  "report-after-bump": model({ writes: 1, kills: 1 }),
  "row-asked": model({ writes: 1, stops: 1, net: 1 }),
  "final-status": model({ writes: 1, net: 1 }),
  "drop-makes-row": model({ writes: 1, net: 1 }),
  "stop-waits": model({ writes: 1, writeStops: 1 }),
  "any-stop": model({ writes: 1, writeStops: 1 }),
  "group-after-bump": model({ writes: 3, groups: 1 }, GROUP_IN_THE_WAY),
  "all-or-none": model({ writes: 2, groups: 1, net: 1 }, GROUP),
  "alone-after-group": model({ writes: 3, groups: 1 }, GROUP_IN_THE_WAY),
  "group-told-by-rows": model({ writes: 3, groups: 1 }, GROUP_IN_THE_WAY),
  "last-of-group": model({ writes: 2, groups: 1 }, GROUP),
  "old-values": model({ writes: 2 }),
  "seen-values": model({ writes: 2 }, ALIAS),
  "conflicts-in-fold": model({ writes: 2 }, NESTED_NEW),
  "base-in-log": model({ writes: 3, failOvers: 1 }, { refs: 2, shapes: [[ONE], [ONE, OTHER]] }),
  "digest-is-sum": model({ writes: 2 }, TWO_REFS),
  "next-version-only": model({ writes: 2 }, TWO_REFS),
  "reported-when-here": model({ writes: 2, demotes: 1 }, TWO_REFS),
  "landed-objects-kept": model({ writes: 2, prunes: 1 }, TWO_REFS),
  "plan-under-mutex": model({ writes: 2 }),
  "version-after-refs": model({ writes: 1, reads: 2, net: 1 }),
  "start-over": model({ writes: 3, failOvers: 1 }, { refs: 2, shapes: [[ONE], [OTHER]] }),
  "exact-ids": model({ writes: 2 }, TWO_REFS),
  scratch: model({ writes: 1, sessions: 1, reads: 1 }),
  "old-process-gone": model({ writes: 2, stops: 1 }),
  sweep: model({ writes: 1, kills: 1 }),
  "touched-refs": model({ writes: 2, kills: 1 }, BACK_AND_FORTH),
  "objects-before-refs": model({ writes: 1 }),
  "copies-before-bump": model({ writes: 1, disks: 1 }, { minCopies: 2 }),
  "copies-pinned": model({ writes: 1, disks: 1, prunes: 1 }, { minCopies: 2 }),
  "ahead-version": model({ writes: 1, reads: 1, failOvers: 1 }),
  "digest-before-read": model({ writes: 2, reads: 1, failOvers: 1 }),
  "asked-after-applied": model({ writes: 1, reads: 1, failOvers: 1 }),
  "recorded-if-known": model({ writes: 1, failOvers: 1 }),
  "digest-at-stage": model({ writes: 3, failOvers: 1 }, { refs: 2, shapes: [[ONE], [ONE], [OTHER]] }),
  "digest-in-catch-up": model({ writes: 3, failOvers: 1 }, { refs: 2, shapes: [[ONE], [OTHER], [OTHER]] }),
  "digest-in-recovery": model({ writes: 2, kills: 1, failOvers: 1 }),
  "doubt-keeps-version": model({ writes: 1, net: 1, failOvers: 1 }, { before: [ONE] }),
  "torn-notes": model({ writes: 1, kills: 1, failOvers: 1 }),
  "ahead-stops-writes": model({ writes: 2, failOvers: 1 }),
  "gap-means-fold": model({ writes: 1, trims: 1 }),
  "lost-refs-kept": model({ writes: 1, demotes: 1 }),
  "demoted-with-log": model({ writes: 1, demotes: 1 }),
  "head-as-shown": model({ writes: 2, demotes: 1 }),
  "deletes-first": model({ writes: 2 }, NESTED),
  "absent-deletes": model({ writes: 2, kills: 1 }, NESTED),
  "turn-refuses-others": model({ writes: 2, sessions: 1 }),
  "session-lease": model({ writes: 1, sessions: 1, leases: 1 }),
  "dropped-refs-kept": model({ writes: 1, sessions: 1, leases: 1 }),
  "write-stop-refuses-staged": model({ writes: 1, writeStops: 1 }),
  fence: model({ writes: 2, stops: 1, net: 1 }),
};
