// The states of a replica, and who may move it from one to another. The store's statements take their lists of states
// from here, and a sidecar does not start if the table contradicts itself.
//
// A row exists for each device that shall hold the repository (its placement), whether the device is there or not. A
// row whose device shall not hold it any more goes `released` and `destroyed`.
import type { ReplicaState } from "./domain.ts";

interface Facts {
  /** The device has files of the replica, makes them, or mends them. Such a replica counts as a copy. */
  readonly held: boolean;
  /** A read may be served once the replica is at the head. */
  readonly served: boolean;
}

const REPLICA_STATES: Readonly<Record<ReplicaState, Facts>> = {
  pending: { held: true, served: true },
  active: { held: true, served: true },
  broken: { held: true, served: true },
  released: { held: false, served: false },
  destroyed: { held: false, served: false },
};

/** own: the live sidecar of the replica's device, under its fence. operator: an operator's call, on any device. */
export type Mover = "own" | "operator";

export interface Move {
  readonly from: ReplicaState;
  readonly to: ReplicaState;
  readonly by: Mover;
  /** The statement that makes the move. */
  readonly statement: string;
  readonly when: string;
}

const own = (from: ReplicaState, to: ReplicaState, statement: string, when: string): Move => ({
  from,
  to,
  by: "own",
  statement,
  when,
});

/** Each move that there is. A statement that makes another one is wrong. */
export const REPLICA_MOVES: readonly Move[] = [
  own("pending", "active", "recordVersion", "the refs of a version are on the disk and synced"),
  own("broken", "active", "recordVersion", "the refs of a version are on the disk and synced"),
  own("active", "pending", "reviseVersions", "the disk holds less than was recorded"),
  own("pending", "broken", "recordFailure", "an operator has to look at the files"),
  own("active", "broken", "recordFailure", "an operator has to look at the files"),
  own("pending", "broken", "stopRepository", "the disk holds versions that the database has lost"),
  own("active", "broken", "stopRepository", "the disk holds versions that the database has lost"),
  own(
    "pending",
    "released",
    "releaseReplica",
    "the placement does not name the device and the others hold the head, or the repository was removed",
  ),
  own(
    "active",
    "released",
    "releaseReplica",
    "the placement does not name the device and the others hold the head, or the repository was removed",
  ),
  own(
    "broken",
    "released",
    "releaseReplica",
    "the placement does not name the device and the others hold the head, or the repository was removed",
  ),
  own("released", "destroyed", "destroyReplica", "the files were kept for as long as an operator wants"),
  own("released", "pending", "placeReplicas", "a device joins, and the repository is on all devices"),
  own("destroyed", "pending", "placeReplicas", "a device joins, and the repository is on all devices"),
  {
    from: "released",
    to: "pending",
    by: "operator",
    statement: "setRepository",
    when: "the placement names the device again",
  },
  {
    from: "released",
    to: "pending",
    by: "operator",
    statement: "restoreRepository",
    when: "the repository is restored",
  },
  {
    from: "destroyed",
    to: "pending",
    by: "operator",
    statement: "restoreRepository",
    when: "the repository is restored",
  },
  {
    from: "destroyed",
    to: "pending",
    by: "operator",
    statement: "setRepository",
    when: "the placement names the device again",
  },
];

const ALL = Object.keys(REPLICA_STATES) as ReplicaState[];

/** SQL: the states of replicas that count as copies, as a list for `in`. */
export const HELD: string = inSql(ALL.filter((state) => REPLICA_STATES[state].held));

function inSql(states: readonly ReplicaState[]): string {
  return `(${states.map((state) => `'${state}'`).join(", ")})`;
}

/** Returns whether the device of a replica in this state may serve reads of it. null: there is no replica. */
export function isServed(state: ReplicaState | null): boolean {
  return state !== null && REPLICA_STATES[state].served;
}

/** Returns whether a replica in this state counts as a copy. null: there is no replica. */
export function isHeld(state: ReplicaState | null): boolean {
  return state !== null && REPLICA_STATES[state].held;
}

/**
 * Throws if the table contradicts itself. Moves reach each state, and lead out of it. Each move changes something. Only
 * its own device gives a copy up.
 */
export function checkReplicaStates(moves: readonly Move[] = REPLICA_MOVES): void {
  const wrong = [
    ...ALL.filter((state) => state !== "pending" && !reachable(moves).has(state)).map(
      (state) => `nothing leads to ${state}`,
    ),
    ...ALL.filter((state) => !moves.some(({ from }) => from === state)).map((state) => `nothing leads out of ${state}`),
    ...moves.filter(({ from, to }) => from === to).map(({ statement, from }) => `${statement} leaves ${from} as it is`),
    ...moves
      .filter(({ from, to, by }) => REPLICA_STATES[from].held && !REPLICA_STATES[to].held && by !== "own")
      .map(({ statement, from }) => `${statement} gives up a copy that is ${from} for another device`),
  ];
  if (wrong.length > 0) throw new Error(`The table of replica states is wrong: ${wrong.join("; ")}.`);
}

/** Returns the states that moves reach from `pending`, in which every row begins. */
function reachable(moves: readonly Move[]): Set<ReplicaState> {
  const reached = new Set<ReplicaState>(["pending"]);
  for (let before = 0; before < reached.size; ) {
    before = reached.size;
    for (const { from, to } of moves) if (reached.has(from)) reached.add(to);
  }
  return reached;
}
