// Writes: one row lands a write or drops it, for ever. It is staged before, or made with the decision.
import {
  type Incarnation,
  type RefName,
  type RefUpdate,
  type RefValue,
  toBytes,
  type Version,
  valueFromBytes,
  type WriteStatus,
} from "../../domain.ts";
import { type Database, queryRepeatableRow } from "../database/database.ts";

export interface StageRequest {
  readonly writeId: string;
  readonly repositoryId: string;
  /** The version that the device holds. */
  readonly base: Version;
  /** The digest at the base: the write may be based on an older version than the head. undefined: it may not. */
  readonly baseDigest?: Buffer | undefined;
  readonly author: string;
  readonly names: readonly RefName[];
  /** The ticket with which the write has waited for the repository's turn. */
  readonly ticket?: string | undefined;
  /** True for the write of a session, which has its row already and must have the turn. */
  readonly session?: boolean;
}

/** On how many devices the objects of a write must be before it lands. */
export interface CopiesRule {
  readonly atLeast: number;
  /** True: a write that has fewer copies lands all the same. */
  readonly orFewer: boolean;
}

export interface StagedWrite {
  readonly outcome: "staged";
  /** The head, and its digest. */
  readonly head: Version;
  readonly digest: Buffer;
  readonly digestKey: Buffer;
  /** The values of the named refs at the head. */
  readonly values: (RefValue | null)[];
  readonly copiesRule: CopiesRule;
}

export type Staged =
  | StagedWrite
  /** Writes are refused with that reason. */
  | { outcome: "stopped"; reason: string }
  /** "old_leases": after a fail-over, a device may still serve reads from the old primary; ask again in a moment. */
  | { outcome: "stale" | "turn" | "fenced" | "missing" | "dropped" | "old_leases" }
  /** This device takes no writes. */
  | { outcome: "elsewhere" };

interface StagedRow {
  readonly [column: string]: unknown;
  readonly outcome: Staged["outcome"];
  readonly head: bigint;
  readonly digest: Buffer;
  readonly digest_key: Buffer;
  readonly held_values: (Buffer | null)[] | null;
  readonly min_copies: number;
  readonly land_with_fewer: boolean;
  readonly detail: string | null;
}

/**
 * Stages a write and returns the values of the named refs at the head, in the order of `names`. "stale": the log does
 * not have the base, or the head has moved and only the head will do. "turn": another write has the repository's turn,
 * or the session's lease has run out. In both cases no row was made.
 */
export async function stageWrite(db: Database, me: Incarnation, request: StageRequest): Promise<Staged> {
  const row = await queryRepeatableRow<StagedRow>(
    db.work,
    "select * from lockstep.stage_write($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    [
      request.writeId,
      request.repositoryId,
      me.device,
      me.fence,
      request.base,
      request.author,
      request.names.map(toBytes),
      request.ticket ?? null,
      request.session ?? false,
      request.baseDigest ?? null,
    ],
  );
  switch (row.outcome) {
    case "staged":
      return {
        outcome: "staged",
        head: row.head,
        digest: row.digest,
        digestKey: row.digest_key,
        values: (row.held_values ?? []).map(valueFromBytes),
        copiesRule: { atLeast: row.min_copies, orFewer: row.land_with_fewer },
      };
    case "stopped":
      return { outcome: "stopped", reason: row.detail ?? "" };
    default:
      return { outcome: row.outcome };
  }
}

export interface LandRequest {
  readonly writeId: string;
  readonly repositoryId: string;
  /** The version that the device holds. */
  readonly base: Version;
  /** The digest at the base: the write may land on a later head. undefined: it may not. */
  readonly baseDigest?: Buffer | undefined;
  /** What the updates add to the digest (`differenceOf`). */
  readonly difference: Buffer;
  readonly updates: readonly RefUpdate[];
  /** Refs that led to those of the updates, with their values. */
  readonly seen?: ReadonlyMap<RefName, RefValue>;
  /** Other devices that hold the objects. */
  readonly holders?: readonly string[];
  /** The act of an operator that the write carries out. Its audit row is made with the decision. */
  readonly act?: OperatorsAct | undefined;
  /** The author of a write that is not staged: its row is made with the decision. */
  readonly atOnceBy?: string | undefined;
}

export interface OperatorsAct {
  readonly action: string;
  readonly reason: string;
  readonly detail: Readonly<Record<string, string>>;
}

export type LandOutcome =
  | { outcome: "landed"; version: Version }
  | { outcome: "stopped"; reason: string }
  | { outcome: "stale" | "turn" | "fenced" | "dropped" | "in_doubt" | "missing" | "old_leases" }
  /** The write must be staged first. */
  | { outcome: "not_at_once" };

/**
 * Decides a write. It lands if the refs of the updates have their old values at the head, which may be later than the
 * base. "landed" is final: every later call gets the same answer. After every other answer, and after every error, the
 * caller must ask the row with `settleWrite`. Such an answer says only why this call did not land the write. Another
 * call may have landed it.
 */
export async function landWrite(db: Database, me: Incarnation, request: LandRequest): Promise<LandOutcome> {
  const row = await queryRepeatableRow<{
    outcome: LandOutcome["outcome"];
    version: bigint | null;
    detail: string | null;
  }>(
    db.work,
    "select outcome, version, detail from lockstep.bump($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    [
      request.writeId,
      request.repositoryId,
      me.device,
      me.fence,
      request.base,
      request.baseDigest ?? null,
      request.difference,
      request.updates.map((update) => toBytes(update.name)),
      request.updates.map((update) => (update.oldValue === null ? null : toBytes(update.oldValue))),
      request.updates.map((update) => (update.newValue === null ? null : toBytes(update.newValue))),
      [...(request.seen?.keys() ?? [])].map(toBytes),
      [...(request.seen?.values() ?? [])].map(toBytes),
      request.holders ?? [],
      request.act ?? null,
      request.atOnceBy ?? null,
    ],
    { decides: true },
  );
  if (row.outcome === "landed") return { outcome: "landed", version: row.version as Version };
  return row.outcome === "stopped" ? { outcome: "stopped", reason: row.detail ?? "" } : { outcome: row.outcome };
}

export type Settled = { status: "landed"; version: Version } | { status: "dropped"; reason: string };

/** Identifies a write, whether it has a row or not. */
export interface WriteIdentity {
  readonly writeId: string;
  readonly repositoryId: string;
  readonly author: string;
}

/**
 * Makes the outcome of a write final and returns it: dropped, unless it has landed. A write that was never staged is
 * dropped too, so that a late statement of the write stages nothing. Throws DATABASE_UNAVAILABLE: ask again.
 */
export async function settleWrite(
  db: Database,
  me: Incarnation,
  { writeId, repositoryId, author }: WriteIdentity,
  reason: string,
): Promise<Settled> {
  const row = await queryRepeatableRow<{
    status: WriteStatus | null;
    version: bigint | null;
    drop_reason: string | null;
  }>(db.work, "select status, version, drop_reason from lockstep.settle_write($1, $2, $3, $4, $5, $6)", [
    writeId,
    repositoryId,
    me.device,
    me.fence,
    author,
    reason,
  ]);
  if (row.status === "landed") return { status: "landed", version: row.version as Version };
  // Without a row the repository is gone, so the write cannot land any more.
  return { status: "dropped", reason: row.drop_reason ?? reason };
}
