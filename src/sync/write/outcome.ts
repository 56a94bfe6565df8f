// What an attempt tries, and what becomes of it.
import type { RefName, RefValue, Version } from "../../domain.ts";
import type { StartedTransaction } from "../../git/refs/started-transaction.ts";
import type { CopiesRule, Staged } from "../../store/writes.ts";
import type { SyncContext } from "../device/context.ts";
import { fencedOff } from "../device/fenced-off.ts";
import type { Stopwatch } from "../device/stopwatch.ts";
import type { Decision } from "./decide.ts";
import type { PushReport } from "./push-report.ts";
import type { PushRequest } from "./request.ts";

/** What an attempt tries, and for whom. */
export interface WriteAttempt {
  readonly writeId: string;
  /** The row of the write is there already, with this version as its base; else it is made, and dropped if the attempt fails. */
  readonly sessionBase?: Version;
  /** With which a push has waited for the repository's turn, if it has. */
  readonly ticket?: string | undefined;
  readonly request: Pick<PushRequest, "updates" | "atomic" | "author" | "refAuthor">;
  /** Refs through which the updates were pushed, and what they are believed to hold. A session changes the aliases themselves. */
  readonly aliases?: ReadonlyMap<RefName, RefValue>;
  /** Aborts when nobody waits for the outcome any more. */
  readonly gone?: AbortSignal;
  /** Spares the first attempt that takes it the start of git. */
  readonly started?: StartedTransaction | undefined;
  readonly clock: Stopwatch;
  /** Other devices that hold the objects; undefined: none was asked to. */
  readonly holders: readonly string[] | undefined;
}

/** What became of the refs of an attempt. `version` null: no ref was to change. */
export interface Done {
  readonly outcome: "done";
  readonly version: Version | null;
  readonly report: PushReport;
}

/** Another device was faster, or the replica must be looked at again: catch up, try anew. `failure`: or the database failed. */
export interface Raced {
  readonly outcome: "raced";
  readonly failure?: unknown;
}

/** "turn": another write has the repository's turn. */
export type Lost = Raced | { readonly outcome: "turn" };

export type Attempt =
  | Done
  | Lost
  /** The objects are on too few devices. */
  | { outcome: "too_few_copies"; rule: CopiesRule }
  /** Some refs stand for others: what these hold, and those that were believed to. */
  | { outcome: "aliases"; held: ReadonlyMap<RefName, RefValue | null> }
  /** Writes to the repository are stopped, for that reason. */
  | { outcome: "stopped"; reason: string };

/** A write that the database has not staged, or that is proven dropped. */
export type Refused = Exclude<Staged, { outcome: "staged" | "old_leases" }> | Exclude<Decision, { outcome: "landed" }>;

/** What an answer of the database means for the attempt. Throws FENCED where another sidecar has taken over the device. */
export function outcomeOf(context: SyncContext, answer: Refused): Attempt {
  switch (answer.outcome) {
    case "fenced":
      throw fencedOff(context);
    case "stopped":
      return answer;
    case "turn":
      return { outcome: "turn" };
    case "failed":
      return { outcome: "raced", failure: answer.error };
    default:
      // Also where the repository or the replica is no longer what it was: whoever looks again finds out.
      return { outcome: "raced" };
  }
}
