// What happened in a run, as records: one JSON document a line when exported. All times are milliseconds of one monotonic clock.

/** The commit that a ref holds; null: there is no such ref. */
export type Value = string | null;

/** `failed` is proven to have had no effect. Whatever is neither proven done nor proven refused is `unknown`. */
export type Result = "ok" | "failed" | "unknown";

export const WRITES = ["create", "update", "force", "delete", "atomic", "session"] as const;
export const READS = ["ls-remote", "fetch", "clone"] as const;
export type OperationKind = (typeof WRITES)[number] | (typeof READS)[number];

/** What a push did to one ref, or may have done. */
export interface Change {
  readonly ref: string;
  /** What the ref held before, as demanded by the pusher or reported by git; absent: any value. */
  readonly old?: Value;
  readonly new: Value;
  readonly result: Result;
  /** Refused by git itself, because the ref did not hold `old`. */
  readonly mismatch?: true;
}

/** One command of stock git; a session is one with BeginWrite before it and BumpVersion after. */
export interface Operation {
  readonly record: "operation";
  readonly id: number;
  readonly client: string;
  readonly device: string;
  readonly repository: string;
  readonly operation: OperationKind;
  readonly invoked: number;
  /** When git ended; an unknown push may take effect later. */
  readonly returned: number;
  readonly result: Result;
  /** Of a push. */
  readonly changes?: readonly Change[];
  /** Of a read that succeeded: what it saw below `scope`. Refs below it that are not listed did not exist. */
  readonly refs?: Readonly<Record<string, string>>;
  readonly scope?: string;
  /** The end of what git said, where it did not succeed. */
  readonly said?: string;
}

export interface Fault {
  readonly record: "fault";
  readonly id: number;
  readonly kind: string;
  readonly target: string;
  readonly from: number;
  readonly to: number;
  /** What became of it, such as the process that was killed; or why it could not be done. */
  readonly outcome: string;
}

/** One version of the ref log, as the database has it at the end. */
export interface LogVersion {
  readonly record: "log";
  readonly repository: string;
  readonly version: number;
  readonly changes: readonly { readonly ref: string; readonly old: Value; readonly new: Value }[];
}

/** Refs after healing: those that the database decided (`place` is "fold"), or those on the disk of a device. */
export interface FinalRefs {
  readonly record: "refs";
  readonly repository: string;
  readonly place: string;
  readonly refs: Readonly<Record<string, string>>;
}

/** What was found on the disk of a device, or in the database, after healing. Everything empty: nothing is wrong. */
export interface Rest {
  readonly record: "rest";
  readonly place: string;
  readonly left: readonly string[];
}

/** When the last fault had been taken back and every device was ready. */
export interface Healed {
  readonly record: "healed";
  readonly at: number;
  readonly devices: readonly string[];
  /** Milliseconds within which a push through each device must succeed. */
  readonly bound: number;
}

/** A sidecar that ended without having been told to, and was started again. */
export interface Ending {
  readonly record: "ending";
  readonly device: string;
  /** Exit code or signal. */
  readonly how: string;
  readonly at: number;
  /** The end of its log. */
  readonly said: string;
}

export interface RunRecord {
  readonly record: "run";
  readonly seed: number;
  readonly arguments: readonly string[];
  readonly versions: Readonly<Record<string, string>>;
}

export type HistoryRecord = RunRecord | Operation | Fault | LogVersion | FinalRefs | Rest | Healed | Ending;
export type History = readonly HistoryRecord[];

/** The records of one type, in the order of the history. */
export function recordsOf<T extends HistoryRecord["record"]>(history: History, type: T) {
  return history.filter((each): each is Extract<HistoryRecord, { record: T }> => each.record === type);
}

/** A ref of a repository: the unit that linearizability is about. */
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
