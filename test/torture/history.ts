// The records of a run. An exported history has one JSON document a line. All times are milliseconds of one monotonic
// clock.

/** The commit that a ref holds, or null if the ref does not exist. */
export type Value = string | null;

/** `ok` is proven done, and `failed` is proven to have had no effect. All else is `unknown`. */
export type Result = "ok" | "failed" | "unknown";

export const WRITES = ["create", "update", "force", "delete", "atomic", "session"] as const;
export const READS = ["ls-remote", "fetch", "clone"] as const;
export type OperationKind = (typeof WRITES)[number] | (typeof READS)[number];

/** The change of one ref by a push, which may be unknown. */
export interface Change {
  readonly ref: string;
  /** The value before, as the pusher demanded or git reported it. Absent means any value. */
  readonly old?: Value;
  readonly new: Value;
  readonly result: Result;
  /** git itself refused the change, because the ref did not hold `old`. */
  readonly mismatch?: true;
}

/** One command of stock git. A session has BeginWrite before it and BumpVersion after it. */
export interface Operation {
  readonly record: "operation";
  readonly id: number;
  readonly client: string;
  readonly device: string;
  readonly repository: string;
  readonly operation: OperationKind;
  readonly invoked: number;
  /** When git ended. An unknown push may take effect later. */
  readonly returned: number;
  readonly result: Result;
  /** The changes of a push. */
  readonly changes?: readonly Change[];
  /** The refs below `scope` that a successful read saw. Other refs below `scope` did not exist. */
  readonly refs?: Readonly<Record<string, string>>;
  readonly scope?: string;
  /** The end of git's output, if git failed. */
  readonly said?: string;
}

export interface Fault {
  readonly record: "fault";
  readonly id: number;
  readonly kind: string;
  readonly target: string;
  readonly from: number;
  readonly to: number;
  /** The outcome, such as the killed process, or the reason why the fault was impossible. */
  readonly outcome: string;
}

/** One version of the ref log, as the database holds it at the end. */
export interface LogVersion {
  readonly record: "log";
  readonly repository: string;
  readonly version: number;
  readonly changes: readonly { readonly ref: string; readonly old: Value; readonly new: Value }[];
}

/** The refs after healing: those in the database (`place` is "fold"), or those on the disk of a device. */
export interface FinalRefs {
  readonly record: "refs";
  readonly repository: string;
  readonly place: string;
  readonly refs: Readonly<Record<string, string>>;
}

/**
 * The findings on the disk of a device, or in the database, after healing. If all lists are empty, nothing is wrong.
 */
export interface Rest {
  readonly record: "rest";
  readonly place: string;
  readonly left: readonly string[];
}

/** A read on a device that had given its copy up, before the question and after the answer. */
export interface Elsewhere {
  readonly record: "elsewhere";
  readonly repository: string;
  readonly device: string;
  readonly at: number;
  /** The repository was removed, all the time between the question and the answer. */
  readonly removed: boolean;
  /** The code of the error, or "served". */
  readonly code: string;
}

/** The time when the last fault had been taken back and every device was ready. */
export interface Healed {
  readonly record: "healed";
  readonly at: number;
  readonly devices: readonly string[];
  /** Milliseconds within which a push through each device must succeed. */
  readonly bound: number;
}

/** The end of a sidecar without an order. It was started again. */
export interface Ending {
  readonly record: "ending";
  readonly device: string;
  /** The exit code or the signal. */
  readonly how: string;
  readonly at: number;
  /** The end of its log. */
  readonly said: string;
}

/** What one listener was told, in its order: a caller of Watch, or the receiver of a webhook. */
export interface Watched {
  readonly record: "watched";
  readonly by: string;
  /** It may be told again what it was told before. */
  readonly mayRepeat: boolean;
  readonly versions: readonly { readonly repository: string; readonly version: number }[];
}

export interface RunRecord {
  readonly record: "run";
  readonly seed: number;
  readonly arguments: readonly string[];
  readonly versions: Readonly<Record<string, string>>;
}

export type HistoryRecord =
  | RunRecord
  | Operation
  | Fault
  | LogVersion
  | FinalRefs
  | Rest
  | Elsewhere
  | Healed
  | Ending
  | Watched;
export type History = readonly HistoryRecord[];

/** Returns the records of one type, in the order of the history. */
export function recordsOf<T extends HistoryRecord["record"]>(history: History, type: T) {
  return history.filter((each): each is Extract<HistoryRecord, { record: T }> => each.record === type);
}

/** Returns the name of a register: one ref of one repository. Linearizability is checked for each register. */
export function registerOf(repository: string, ref: string): string {
  return `${repository} ${ref}`;
}

export function toJsonLines(history: History): string {
  return history.map((each) => `${JSON.stringify(each)}\n`).join("");
}

export function fromJsonLines(text: string): HistoryRecord[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as HistoryRecord);
}
