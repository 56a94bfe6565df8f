// One state of the world: the database, each disk, and the knowledge of each process. All values are small integers.
// The value of a ref is the number of the write that made it, or 0 if the ref does not exist.
import type { RuleName } from "./rules.ts";

/** Stands for an absent lock file, or an unknown version. */
export const NONE = -1;

export interface Entry {
  readonly version: number;
  /** The number of the write; 0 for a version that an operator made. */
  readonly write: number;
  readonly updates: readonly Update[];
  /** The digest of the refs after it, as the log has it. */
  readonly digest: number;
}
/** A ref and its new value. */
export type Update = readonly [ref: number, value: number];

export interface Write {
  readonly device: number;
  readonly session: boolean;
  /** True if nobody staged it: its bump makes the row. Until then its status is "new". */
  atOnce: boolean;
  readonly refs: readonly number[];
  readonly news: readonly number[];
  olds: readonly number[];
  /** Refs that the write relies on and does not change, such as an alias that leads to its ref, and their values. */
  readonly sees: readonly Update[];
  base: number;
  /** The digest that the log had at the base when the write was staged. */
  baseDigest: number;
  status: "new" | "staged" | "landed" | "dropped";
  ack: "none" | "ok" | "ng";
  /** True if a fail-over of the database lost the row after the write had landed. */
  lost: boolean;
  /** The writes that one statement decides, this one among them, in their order. Empty: it is decided alone. */
  group: readonly number[];
}

export interface Push {
  readonly write: number;
  /** The writes of pushes that this one has taken along, in their order. */
  others: readonly number[];
  /** The writes whose rows were asked for already. */
  asked: readonly number[];
  /** Writes that come next, each alone, because their group could not be decided. */
  waiting: readonly number[];
  phase:
    | "hook"
    | "checked"
    | "queued"
    | "begun"
    | "written"
    | "staged"
    | "prepared"
    | "sent"
    | "resent"
    | "unknown"
    | "ask"
    | "landed"
    | "committed";
  version: number;
  /** The digest of the refs of its base with the write and those taken along, known since it was staged. */
  digest: number;
  pos: number;
  copied: boolean;
}

/**
 * A catch-up. Until it has the mutex, `plan` is null. If `whole`, it compares the disk with the fold, else follows the
 * log.
 */
export interface Flight {
  /** The version after which the log was read. */
  readonly from: number;
  readonly to: number;
  readonly digest: number;
  readonly whole: boolean;
  /** The ref, new value and version of each change, as read from the log at the start. */
  readonly changes: readonly (readonly [number, number, number])[];
  readonly stalePlan: readonly Update[] | null;
  /** The device whose refs are copied (only with a rule taken away). */
  readonly copyOf: number;
  plan: readonly Update[] | null;
  pos: number;
}

export interface Process {
  readonly fence: number;
  /** The version whose refs this process knows to be on disk, and their digest. */
  applied: number;
  held: number;
  /** False if the version comes from the note. Then refs that the log changes later may be newer. */
  exact: boolean;
  push: Push | null;
  flight: Flight | null;
}

export interface Read {
  who: Who;
  phase: "arrived" | "asked" | "admitted";
  /** For each ref, the newest version that anyone had seen when the read arrived. */
  readonly need: readonly number[];
  /** The head in the answer of the database. `digest` is its digest. */
  want: number;
  digest: number;
}

/** The note beside the replica. If `sound`, a new process may believe the note after a restart. */
export interface Note {
  readonly version: number;
  readonly digest: number;
  readonly sound: boolean;
}

export interface Device {
  refs: number[];
  /** For each ref, the value in its lock file; NONE without a lock file. */
  locks: number[];
  /** Bit w is set if the disk has the objects of write w. */
  objects: number;
  pins: number;
  /** Bit w is set if write w is kept below refs/lockstep/lost or refs/lockstep/dropped. */
  saved: number;
  /** Bit w is set if there is a scratch repository with the changes of session w. */
  scratch: number;
  note: Note | null;
  live: Process | null;
  /** A stopped process that may wake up. */
  zombie: Process | null;
  read: Read | null;
  /** The head that a query under way has read (only with a rule taken away). */
  query: number;
}
export type Who = "live" | "zombie";

/** How often each event may still happen. */
export interface Budget {
  writes: number;
  sessions: number;
  reads: number;
  kills: number;
  stops: number;
  net: number;
  leases: number;
  demotes: number;
  trims: number;
  failOvers: number;
  disks: number;
  prunes: number;
  writeStops: number;
  /** How many pushes another one may take along. */
  groups: number;
}

export interface State {
  log: readonly Entry[];
  /** The entries that a fail-over lost and no operator has brought back. Disks may hold them. */
  lost: readonly Entry[];
  /** The last version that was trimmed. Entries up to it cannot be read any more. */
  trimmed: number;
  /** The writes. Write w is writes[w - 1]. */
  writes: Write[];
  fences: number[];
  /** The tickets of the write turn, in their order. */
  turn: readonly number[];
  /** The version of each replica in the database (replica.version). */
  recorded: number[];
  ahead: boolean[];
  demoted: boolean[];
  /**
   * The bumps on their way: write, fence and stage. Stage 1 is a repeated bump. Stage 2 is a repeated bump that has
   * looked and found nothing landed. Stage 3 is a first bump that makes its row, and has looked and found no stop of
   * writes. Bumps may be late, lost or repeated.
   */
  messages: readonly (readonly [number, number, number])[];
  writeStop: "off" | "refusing" | "refusing staged" | "returned";
  /** The plan that an operator looks at: to demote this device, at this head. */
  shown: { readonly device: number; readonly head: number } | null;
  devices: Device[];
  /** For each ref, the newest version that any client has seen. */
  seen: number[];
  /** The device and value of each loss that is not allowed: that device must keep the value. */
  owed: readonly (readonly [number, number])[];
  budget: Budget;
}

/** The refs of a push, and whether it writes, deletes or only relies on each. */
export type Shape = readonly (readonly [ref: number, act: "write" | "delete" | "see"])[];

export interface Model {
  readonly devices: number;
  readonly refs: number;
  /**
   * For each write, in the order of the numbers, the shapes that it may have. The last entry holds for all later
   * writes.
   */
  readonly shapes: readonly (readonly Shape[])[];
  /** True if the last ref lies below the first one, so that git cannot hold both. */
  readonly nested: boolean;
  /** The writes that have landed before and are applied on every device. */
  readonly before: readonly Shape[];
  readonly minCopies: number;
  readonly budget: Budget;
  readonly off: ReadonlySet<RuleName>;
}

/** The error of a broken invariant. Its message starts with the number of the invariant. */
export class Violation extends Error {}

/** Returns the digest of refs: a sum of one term for each, as in src/digest.ts. */
export function digestOf(refs: readonly number[]): number {
  return refs.reduce((sum, value) => sum * 16 + value, 1);
}

/** Returns what a write adds to the digest of any refs that have its old values. */
export function differenceOf(count: number, { refs, olds, news }: Write): number {
  return refs.reduce((sum, ref, index) => sum + (news[index]! - olds[index]!) * 16 ** (count - 1 - ref), 0);
}
