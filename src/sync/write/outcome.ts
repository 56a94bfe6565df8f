// The request of one attempt to write, and its outcome.
import type { RefName, RefValue, Version } from "../../domain.ts";
import type { StartedTransaction } from "../../git/transactions/started-transaction.ts";
import type { CopiesRule, OperatorsAct, Staged } from "../../store/write/writes.ts";
import type { Stopwatch } from "../../telemetry/stopwatch.ts";
import type { SyncContext } from "../device/context.ts";
import { endAsFenced } from "../device/end-as-fenced.ts";
import type { Decision } from "./decide.ts";
import type { PushReport } from "./push-report.ts";
import type { PushRequest } from "./request.ts";

/** One attempt: its write, and the state that it shares with other attempts. */
export interface WriteAttempt {
  readonly writeId: string;
  /** The base of a session, which has its row already. The row of a push is made, and dropped if the attempt fails. */
  readonly sessionBase?: Version;
  /** The ticket with which a push has waited for the repository's turn. */
  readonly ticket?: string | undefined;
  /** True: the write may be decided without a row that is staged before. */
  readonly atOnce?: boolean;
  readonly request: Pick<PushRequest, "updates" | "atomic" | "author" | "refAuthor">;
  /** The act of an operator that the write carries out. As in a session, a deletion makes room for a new ref. */
  readonly act?: OperatorsAct;
  /** Aliases through which the updates were pushed, and their believed values. A session changes aliases themselves. */
  readonly aliases?: ReadonlyMap<RefName, RefValue>;
  /** Aborts when nobody waits for the outcome any more. */
  readonly gone?: AbortSignal;
  /** Saves the first attempt that takes it the start of git. */
  readonly started?: StartedTransaction | undefined;
  readonly clock: Stopwatch;
  /** Other devices that hold the objects. undefined: no device was asked to. */
  readonly holders: readonly string[] | undefined;
}

/** The outcome of the refs of an attempt. `version` null: no ref was to change. */
export interface Done {
  readonly outcome: "done";
  readonly version: Version | null;
  /** False: the write landed over versions that this disk does not have. A catch-up brings its refs with them. */
  readonly onDisk: boolean;
  readonly report: PushReport;
}

/** Another device was faster, the replica must be looked at again, or the database failed (`failure`). */
export interface Raced {
  readonly outcome: "raced";
  readonly failure?: unknown;
}

/** "turn": another write has the repository's turn. */
export type Lost = Raced | { readonly outcome: "turn" };

export type Attempt =
  | Done
  | Lost
  /** The write was not decided at once: try again, and stage it. */
  | { outcome: "not_at_once" }
  /** The objects are on too few devices. */
  | { outcome: "too_few_copies"; rule: CopiesRule }
  /** Some refs are aliases: the values of these, and of the refs that were believed to be aliases. */
  | { outcome: "aliases"; held: ReadonlyMap<RefName, RefValue | null> }
  /** Writes to the repository are stopped, for that reason. */
  | { outcome: "stopped"; reason: string }
  /** This device takes no writes. */
  | { outcome: "elsewhere" };

/** A write that the database has not staged, or that is proven dropped. */
export type Refused = Exclude<Staged, { outcome: "staged" | "old_leases" }> | Exclude<Decision, { outcome: "landed" }>;

/** Translates an answer of the database. Throws FENCED if another sidecar has taken over the device. */
export function outcomeOf(context: SyncContext, answer: Refused): Attempt {
  switch (answer.outcome) {
    case "fenced":
      throw endAsFenced(context);
    case "stopped":
    case "elsewhere":
      return answer;
    case "turn":
      return { outcome: "turn" };
    case "failed":
      return { outcome: "raced", failure: answer.error };
    default:
      // The repository or the replica may also be gone. Then the next read says so.
      return { outcome: "raced" };
  }
}
