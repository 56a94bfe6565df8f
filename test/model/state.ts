// One state of the world: what the database holds, what is on each disk, and what each process knows. Small integers throughout.
// The value of a ref is the number of the write that made it, 0 where there is no such ref.
import type { RuleName } from "./rules.ts";

/** No lock file; no version known. */
export const NONE = -1;

export interface Entry {
  readonly version: number;
  /** 0: an operator's. */
  readonly write: number;
  readonly updates: readonly Update[];
}
/** Ref, new value. */
export type Update = readonly [ref: number, value: number];

export interface Write {
  readonly device: number;
  readonly session: boolean;
  readonly refs: readonly number[];
  readonly news: readonly number[];
  olds: readonly number[];
  base: number;
  status: "new" | "staged" | "landed" | "dropped";
  ack: "none" | "ok" | "ng";
  /** Its row was lost by a fail-over of the database after it had landed. */
  lost: boolean;
}

export interface Push {
  readonly write: number;
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
  /** Of the refs after it, known since it was staged. */
  digest: number;
  pos: number;
  copied: boolean;
}

/** A catch-up. `plan` null: it has not got the mutex yet. `whole`: compares the disk with the fold instead of following the log. */
export interface Flight {
  /** The version that the log was read from. */
  readonly from: number;
  readonly to: number;
  readonly digest: number;
  readonly whole: boolean;
  /** Ref, new value, version: as read from the log at the start. */
  readonly changes: readonly (readonly [number, number, number])[];
  readonly stalePlan: readonly Update[] | null;
  /** Copies the refs of this device (only with a rule taken away). */
  readonly copyOf: number;
  plan: readonly Update[] | null;
  pos: number;
}

export interface Process {
  readonly fence: number;
  /** The version whose refs this process knows to be on disk, and their digest. */
  applied: number;
  held: number;
  /** False: believed from the note, and refs that the log changes later may be newer. */
  exact: boolean;
  push: Push | null;
  flight: Flight | null;
}

export interface Read {
  who: Who;
  phase: "arrived" | "asked" | "admitted";
  /** Per ref: the version that someone had seen when the read arrived. */
  readonly need: readonly number[];
  /** The head of the answer, and its digest. */
  want: number;
  digest: number;
}

/** The file beside the replica. `sound`: it may be believed after a mere restart. */
export interface Note {
  readonly version: number;
  readonly digest: number;
  readonly sound: boolean;
}

export interface Device {
  refs: number[];
  /** The value that the lock file of a ref holds, NONE: no lock file. */
  locks: number[];
  /** Bit w: the objects of write w. */
  objects: number;
  pins: number;
  /** Bit w: kept under refs/lockstep/lost or refs/lockstep/dropped. */
  saved: number;
  /** Bit w: a scratch repository with what the caller of session w wrote. */
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

/** How often each thing may still happen. */
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
  drains: number;
}

export interface State {
  log: readonly Entry[];
  /** What a fail-over lost of it and no operator has brought back; disks may hold it. */
  lost: readonly Entry[];
  /** Entries up to here cannot be read any more. */
  trimmed: number;
  /** Write w is writes[w - 1]. */
  writes: Write[];
  fences: number[];
  /** Tickets of the write turn, in their order. */
  turn: readonly number[];
  /** replica.version. */
  recorded: number[];
  ahead: boolean[];
  demoted: boolean[];
  /**
   * Bumps on the wire: write, fence, 1 where it was sent before, 2 where such a one has looked and found nothing landed. They may
   * be late, lost or repeated.
   */
  messages: readonly (readonly [number, number, number])[];
  drain: "off" | "refusing" | "closed" | "returned";
  /** An operator looks at what demoting this device would give up. */
  shown: { readonly device: number; readonly head: number } | null;
  devices: Device[];
  /** Per ref: the newest version that anyone outside has seen. */
  seen: number[];
  /** Device, value: what may not be thrown away there. */
  owed: readonly (readonly [number, number])[];
  budget: Budget;
}

/** What a push does: refs and whether they are written or deleted. */
export type Shape = readonly (readonly [ref: number, act: "write" | "delete"])[];

export interface Model {
  readonly devices: number;
  readonly refs: number;
  /** Per write, in the order of their numbers: what it may do. The last one holds for all that follow. */
  readonly shapes: readonly (readonly Shape[])[];
  /** The last ref lies below the first one: git cannot hold both. */
  readonly nested: boolean;
  /** What has landed before and is applied everywhere. */
  readonly before: readonly Shape[];
  readonly minCopies: number;
  readonly budget: Budget;
  readonly off: ReadonlySet<RuleName>;
}

/** Breaks an invariant; the message starts with the invariant's number. */
export class Violation extends Error {}

export function digestOf(refs: readonly number[]): number {
  return refs.reduce((sum, value) => sum * 16 + value, 1);
}
