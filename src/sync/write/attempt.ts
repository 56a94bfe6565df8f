// One attempt to make the next version: staged → prepared → synced → decided → committed. Runs under the replica's mutex.
import { crashPoint } from "../../crash-points.ts";
import {
  digestAfter,
  isSymbolic,
  objectIds,
  type RefName,
  type RefUpdate,
  type RefValue,
  type Version,
} from "../../domain.ts";
import { describe } from "../../errors.ts";
import { wasKilled } from "../../git/process.ts";
import { RefTransaction } from "../../git/refs/ref-transaction.ts";
import { applyRefs } from "../../git/refs/refs.ts";
import type { StartedTransaction } from "../../git/refs/started-transaction.ts";
import { doubtReplicaRecord } from "../../git/root/root-record.ts";
import { syncObjects } from "../../io/disk.ts";
import { isPermanent } from "../../store/database/sqlstate.ts";
import { type CopiesRule, type Staged, stageWrite } from "../../store/writes.ts";
import type { SyncContext } from "../device/context.ts";
import { fencedOff } from "../device/fenced-off.ts";
import type { Replica } from "../device/replica.ts";
import type { Stopwatch } from "../device/stopwatch.ts";
import { stopAheadOfDatabase } from "../replica/ahead-of-database.ts";
import { markApplied, noteOnDisk, putInDoubt, recordInDatabase } from "../replica/apply.ts";
import { abandon, turnMoved } from "./abandon.ts";
import { type Decision, decide } from "./decide.ts";
import { afterOldLeases } from "./old-leases.ts";
import { type Prepared, prepareEarly, prepareFresh } from "./prepare-refs.ts";
import { type Pusher, type PushRequest, pusherGoneError } from "./request.ts";

export type Attempt =
  /** `version` null: no ref was to change. */
  | { outcome: "done"; version: Version | null }
  /** Another device was faster, or the replica must be looked at again: catch up, try anew. `failure`: or the database failed. */
  | { outcome: "raced"; failure?: unknown }
  /** Another write has the repository's turn. */
  | { outcome: "turn" }
  /** The objects are on too few devices. */
  | { outcome: "too_few_copies"; rule: CopiesRule }
  /** Some refs stand for others: what these hold, and those that were believed to. */
  | { outcome: "aliases"; held: ReadonlyMap<RefName, RefValue | null> }
  /** Writes to the repository are stopped, for that reason. */
  | { outcome: "stopped"; reason: string };

/** What an attempt tries, and for whom. */
export interface WriteAttempt {
  readonly writeId: string;
  /** The row of the write is there already, with this version as its base; else it is made, and dropped if the attempt fails. */
  readonly sessionBase?: Version;
  /** With which a push has waited for the repository's turn, if it has. */
  readonly ticket?: string | undefined;
  readonly request: Pick<PushRequest, "updates" | "atomic" | "author" | "refAuthor">;
  readonly report: Map<RefName, string | null>;
  /** Refs through which the updates were pushed, and what they are believed to hold. A session changes the aliases themselves. */
  readonly aliases?: ReadonlyMap<RefName, RefValue>;
  readonly pusher: Pick<Pusher, "gone">;
  /** Spares the first attempt that takes it the start of git. */
  readonly started?: StartedTransaction | undefined;
  readonly clock: Stopwatch;
  /** Other devices that hold the objects; undefined: none was asked to. */
  readonly holders: readonly string[] | undefined;
}

/**
 * Tries to land the updates on what this replica has applied, and writes refusals into `report`. Throws OUTCOME_UNKNOWN when
 * the database did not say whether the write landed; whatever else it throws, nothing landed.
 */
export async function attemptWrite(
  context: SyncContext,
  replica: Replica,
  { writeId, sessionBase, ticket, request, report, aliases, pusher, started, clock, holders }: WriteAttempt,
): Promise<Attempt> {
  return await replica.mutex.runExclusive(async () => {
    clock.lap("mutexMs");
    const base = replica.applied;
    if (base === undefined || (sessionBase !== undefined && base < sessionBase)) return { outcome: "raced" };
    // What an earlier attempt found may have changed since.
    for (const { name } of request.updates) report.set(name, null);
    // While the database is asked git takes the locks, which show nothing to anyone. Left by a crash, they are swept.
    const { length: count } = request.updates;
    await using firstTransaction =
      started?.take(replica.gitDir, count) ??
      new RefTransaction(context.git, replica.gitDir, { count, author: request.refAuthor });
    const early = prepareEarly(firstTransaction, request.updates);
    let why = "the server failed before the write was decided";
    let pending = sessionBase === undefined;
    try {
      const names = [...request.updates.map(({ name }) => name), ...(aliases?.keys() ?? [])];
      const row = {
        writeId,
        repositoryId: replica.id,
        base: sessionBase ?? base,
        author: request.author,
        names,
        ticket,
        session: sessionBase !== undefined,
      };
      const synced = syncObjects(replica.gitDir);
      synced.catch(() => {});
      const staged = await afterOldLeases(context, () => stageWrite(context.db, context.me, row));
      clock.lap("stageMs");
      await crashPoint("push.staged");
      if (staged.outcome !== "staged") {
        pending = false;
        return notStaged(context, staged);
      }
      // The write would land on refs that are not these.
      if (base === row.base && staged.digest.toString("hex") !== replica.appliedDigest)
        throw await stopAheadOfDatabase(context, replica, { version: base, digest: replica.appliedDigest }, base);
      if (isShort(staged.copiesRule, holders, request.updates)) {
        why = "its objects were on too few devices";
        return { outcome: "too_few_copies", rule: staged.copiesRule };
      }
      const held = new Map(names.map((name, index) => [name, staged.values[index] ?? null]));
      if (
        aliases !== undefined &&
        [...held].some(([name, value]) => (isSymbolic(value) ? aliases.get(name) !== value : aliases.has(name)))
      ) {
        why = "some of its refs stand for others";
        return { outcome: "aliases", held };
      }
      const preparing = { ...request, bySession: sessionBase !== undefined };
      const prepared = await prepareFresh(context, replica, preparing, held, report, early);
      clock.lap("prepareMs");
      if (prepared.outcome !== "prepared") {
        why = "the refs were not as the pusher saw them";
        return prepared.outcome === "in_doubt" ? { outcome: "raced" } : { outcome: "done", version: null };
      }
      await using transaction = prepared.transaction;
      await crashPoint("push.prepared");
      // Killed between the first ref and the last, this replica is not believed to hold what it held. Before the decision: a disk that
      // takes no note drops the write.
      const noted = { repositoryId: replica.id, version: base, digest: replica.appliedDigest };
      const doubted = doubtReplicaRecord(replica.gitDir, noted);
      // Neither may still be at work when the mutex is given back.
      await Promise.allSettled([synced, doubted]);
      await Promise.all([synced, doubted]);
      clock.lap("syncMs");
      await crashPoint("push.synced");
      if (pusher.gone.aborted) {
        why = "the pusher was gone before the decision";
        throw pusherGoneError();
      }
      const { updates, afterwards } = prepared;
      const digest = digestAfter(staged.digestKey, staged.digest, updates);
      pending = false;
      await crashPoint("push.deciding");
      const decision = await decide(context, replica, { ...row, digest, updates, holders: holders ?? [] });
      clock.lap("landMs");
      if (decision.outcome !== "landed") {
        const attempt = await notLanded(context, replica, decision);
        if (replica.applied === base)
          await noteOnDisk(context, replica, { version: base, digest: Buffer.from(replica.appliedDigest, "hex") });
        if (decision.outcome === "failed" && isPermanent(decision.error)) throw decision.error;
        return attempt;
      }
      await crashPoint("push.decided");
      await commit(context, replica, { transaction, updates, afterwards }, { version: decision.version, digest });
      clock.lap("commitMs");
      return { outcome: "done", version: decision.version };
    } catch (error) {
      if (wasKilled(error)) {
        replica.swept = false;
        await putInDoubt(replica);
      }
      throw error;
    } finally {
      if (pending) abandon(context, { writeId, repositoryId: replica.id, author: request.author }, why);
    }
  });
}

/** Where fewer will do, asking was enough; where refs are but removed or made to stand for others, there is nothing to copy. */
function isShort(
  { atLeast, orFewer }: CopiesRule,
  holders: readonly string[] | undefined,
  updates: readonly RefUpdate[],
): boolean {
  if (objectIds(updates.map(({ newValue }) => newValue)).length === 0) return false;
  return atLeast > 1 + (holders?.length ?? 0) && !(orFewer && holders !== undefined);
}

/** Also where the repository or the replica is no longer what it was: whoever looks again finds out. */
function notStaged(context: SyncContext, staged: Exclude<Staged, { outcome: "staged" }>): Attempt {
  if (staged.outcome === "fenced") throw fencedOff(context);
  if (staged.outcome === "stopped") return staged;
  return { outcome: staged.outcome === "turn" ? "turn" : "raced" };
}

/** Proven dropped, for that reason. */
async function notLanded(
  context: SyncContext,
  replica: Replica,
  decision: Exclude<Decision, { outcome: "landed" }>,
): Promise<Attempt> {
  if (decision.outcome === "fenced") throw fencedOff(context);
  if (decision.outcome === "stopped") return decision;
  if (decision.outcome === "in_doubt") await putInDoubt(replica);
  if (decision.outcome === "failed") return { outcome: "raced", failure: decision.error };
  return { outcome: decision.outcome === "turn" ? "turn" : "raced" };
}

/** Landed: whatever fails from here on, others have it already, so it is rolled forward by the next touch and reported as ok. */
async function commit(
  context: SyncContext,
  replica: Replica,
  {
    transaction,
    updates,
    afterwards,
  }: Pick<Prepared & { outcome: "prepared" }, "transaction" | "updates" | "afterwards">,
  target: { version: Version; digest: Buffer },
): Promise<void> {
  replica.applied = undefined;
  try {
    await transaction.commit();
    if (afterwards.size > 0) {
      await crashPoint("refs.cleared");
      await applyRefs(context.git, replica.gitDir, afterwards);
    }
    await crashPoint("push.committed");
    await markApplied(context, replica, new Set(updates.map(({ name }) => name)), target);
    await crashPoint("push.applied");
    recordInBackground(context, replica);
  } catch (error) {
    if (wasKilled(error)) replica.swept = false;
    context.log.error(
      { repository: replica.name, version: String(target.version), err: describe(error) },
      "landed, but not yet on this disk",
    );
  }
  turnMoved(context, replica.id);
}

/** The pusher need not wait for it: the row only tells others of one more source, and the log names the writer already. */
function recordInBackground(context: SyncContext, replica: Replica): void {
  void recordInDatabase(context, replica).catch((error: unknown) => {
    context.log.warn({ repository: replica.name, err: describe(error) }, "could not record the version of a replica");
  });
}
