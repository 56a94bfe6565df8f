// Stages the row of a write: step 3 of a push that is not decided at once (at-once.ts). The answer of the database has
// the values of the refs at the head, and says whether the write may go on.
import { crashPoint } from "../../crash-points.ts";
import { isSymbolic, objectIds, type RefName, type RefUpdate, type RefValue } from "../../domain.ts";
import { type CopiesRule, type StageRequest, stageWrite } from "../../store/write/writes.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { stopAheadOfDatabase } from "../replica/ahead-of-database.ts";
import type { Undecided } from "../turn/abandon.ts";
import { afterOldLeases } from "../turn/old-leases.ts";
import { type Attempt, outcomeOf, type WriteAttempt } from "./outcome.ts";

/** A write whose row is staged. */
export interface StagedAttempt {
  readonly outcome: "staged";
  /** True if its base was the head. */
  readonly onHead: boolean;
  /** The key of digests. */
  readonly digestKey: Buffer;
  /** The values of its refs at the head. */
  readonly held: ReadonlyMap<RefName, RefValue | null>;
}

/** Stages the write. Throws AHEAD_OF_DATABASE if the replica has other refs than the database at that version. */
export async function stage(
  context: SyncContext,
  replica: Replica,
  row: StageRequest,
  { request, aliases, holders, clock }: WriteAttempt,
  undecided: Undecided,
): Promise<StagedAttempt | Attempt> {
  const { appliedDigest } = replica;
  const staged = await afterOldLeases(context, () => stageWrite(context.db, context.me, row));
  clock.lap("stageMs");
  await crashPoint("push.staged");
  if (staged.outcome !== "staged") {
    undecided.leave();
    return outcomeOf(context, staged);
  }
  replica.digestKey = staged.digestKey;
  replica.copiesRule = staged.copiesRule;
  // The refs on this disk are not those on which the write would land.
  const onHead = staged.head === replica.applied;
  if (onHead && staged.digest.toString("hex") !== appliedDigest)
    throw await stopAheadOfDatabase(context, replica, { version: staged.head, digest: appliedDigest }, staged.head);
  if (isShort(staged.copiesRule, holders, request.updates)) {
    undecided.reason = "its objects were on too few devices";
    return { outcome: "too_few_copies", rule: staged.copiesRule };
  }
  const held = new Map(row.names.map((name, index) => [name, staged.values[index] ?? null]));
  if (aliases !== undefined && areOthers(aliases, held)) {
    undecided.reason = "some of its refs stand for others";
    return { outcome: "aliases", held };
  }
  return { outcome: "staged", onHead, digestKey: staged.digestKey, held };
}

/**
 * Returns true if there are too few copies. If the rule accepts fewer, it was enough to ask for them. A write without
 * objects needs none.
 */
function isShort(
  { atLeast, orFewer }: CopiesRule,
  holders: readonly string[] | undefined,
  updates: readonly RefUpdate[],
): boolean {
  if (objectIds(updates.map(({ newValue }) => newValue)).length === 0) return false;
  return atLeast > 1 + (holders?.length ?? 0) && !(orFewer && holders !== undefined);
}

/** Returns whether other refs are aliases than `aliases` says, or lead to other refs. */
function areOthers(aliases: ReadonlyMap<RefName, RefValue>, held: ReadonlyMap<RefName, RefValue | null>): boolean {
  return [...held].some(([name, value]) => (isSymbolic(value) ? aliases.get(name) !== value : aliases.has(name)));
}
