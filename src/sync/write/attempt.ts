// Makes one attempt to land a write: staged → prepared → synced → decided → committed. Runs under the replica's mutex.
// A push that is ready in a moment is not staged.
import { crashPoint } from "../../crash-points.ts";
import { addDigests, differenceOf } from "../../digest.ts";
import type { Version } from "../../domain.ts";
import { wasKilled } from "../../git/git-error.ts";
import { hookFolder } from "../../git/ref-hook.ts";
import { doubtReplicaRecord } from "../../git/root/root-record.ts";
import { RefTransaction } from "../../git/transactions/ref-transaction.ts";
import { syncObjects } from "../../io/disk.ts";
import { diskError } from "../../io/disk-errors.ts";
import { isPermanent } from "../../store/database/sqlstate.ts";
import type { StageRequest } from "../../store/write/writes.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { noteOnDisk, putInDoubt } from "../replica/apply.ts";
import { Undecided } from "../turn/abandon.ts";
import { type AtOnce, readyAtOnce } from "./at-once.ts";
import { commit, leaveDisk } from "./commit.ts";
import { type Decision, decide } from "./decide.ts";
import { type Attempt, outcomeOf, type WriteAttempt } from "./outcome.ts";
import { type LockedEarly, prepareEarly, prepareFresh } from "./prepare-refs.ts";
import { PushReport } from "./push-report.ts";
import { pusherGoneError } from "./request.ts";
import { stage } from "./stage.ts";

/** What comes before the attempt of a write that may be decided with others. */
export interface Before {
  /** Returns the outcome if the write has been decided by the time when it gets the mutex. Then nothing runs. */
  known(): Promise<Attempt> | undefined;
  /** Runs first under the mutex. If it brings an outcome, there is no attempt. */
  lead(): Promise<Attempt | undefined>;
}

const NOTHING_BEFORE: Before = { known: () => undefined, lead: async () => undefined };

/**
 * Tries to land the updates. The version that this replica has applied is their base; the head may be later. Throws
 * OUTCOME_UNKNOWN when the database did not say whether the write landed. After every other error nothing has landed.
 */
export async function attemptWrite(
  context: SyncContext,
  replica: Replica,
  write: WriteAttempt,
  { known, lead }: Before = NOTHING_BEFORE,
): Promise<Attempt> {
  return await replica.mutex.runUnless(known, async () => {
    const decided = await lead();
    if (decided !== undefined) return decided;
    write.clock.lap("mutexMs");
    const base = replica.applied;
    if (base === undefined || base < (write.sessionBase ?? 0n)) return { outcome: "raced" };
    return await orInDoubt(replica, () => attemptOn(context, replica, base, write));
  });
}

/** Runs steps of a write. If they fail because a git was killed, the replica is in doubt. */
export async function orInDoubt<Result>(replica: Replica, steps: () => Promise<Result>): Promise<Result> {
  try {
    return await steps();
  } catch (error) {
    if (wasKilled(error)) {
      replica.swept = false;
      await putInDoubt(replica);
    }
    throw error;
  }
}

async function attemptOn(context: SyncContext, replica: Replica, base: Version, write: WriteAttempt): Promise<Attempt> {
  const { writeId, sessionBase, request, clock, holders, act } = write;
  const { updates: wanted, author, refAuthor } = request;
  // While the database is asked, git takes the locks. Locks that a crash leaves are swept.
  await using firstTransaction =
    write.started?.take(replica.gitDir, wanted.length) ??
    new RefTransaction(context.git, replica.gitDir, {
      count: wanted.length,
      author: refAuthor,
      kept: replica.keptGit,
    });
  const early = prepareEarly(firstTransaction, wanted);
  const identity = { writeId, repositoryId: replica.id, author };
  const bySession = sessionBase !== undefined;
  const needsHead = onlyOnHead(replica, write);
  using undecided = new Undecided(context, identity);
  if (bySession) undecided.leave();
  const synced = syncObjects(replica.gitDir);
  synced.catch(() => {});
  const names = [...wanted.map(({ name }) => name), ...(write.aliases?.keys() ?? [])];
  const row = {
    ...identity,
    base: sessionBase ?? base,
    baseDigest: needsHead ? undefined : Buffer.from(replica.appliedDigest, "hex"),
    names,
    ticket: write.ticket,
    session: bySession,
  };
  const report = PushReport.of(wanted);
  const atOnce = needsHead ? undefined : await readyAtOnce(replica, write, early, synced);
  if (atOnce) undecided.leave();
  const ready = atOnce ?? (await stageAndPrepare(context, replica, row, write, { early, report, undecided }));
  if ("outcome" in ready) return ready;
  const { prepared, digestKey } = ready;
  await using _ = prepared.transaction;
  await crashPoint("push.prepared");
  await syncAndDoubt(replica, synced);
  clock.lap("syncMs");
  await crashPoint("push.synced");
  if (write.gone?.aborted) {
    undecided.reason = "the pusher was gone before the decision";
    throw pusherGoneError();
  }

  const { updates } = prepared;
  const difference = differenceOf(digestKey, updates);
  undecided.leave();
  await crashPoint("push.deciding");
  const seen = write.aliases ?? new Map();
  const decided = { ...row, difference, updates, seen, holders: holders ?? [], act, atOnceBy: atOnce && author };
  const decision = await decide(context, replica, decided);
  clock.lap("landMs");
  if (decision.outcome !== "landed") return await notLanded(context, replica, base, decision, atOnce !== undefined);
  await crashPoint("push.decided");
  const { version } = decision;
  const onDisk = version === base + 1n;
  if (onDisk) {
    const digest = addDigests(Buffer.from(replica.appliedDigest, "hex"), difference);
    await commit(context, replica, prepared, { version, digest });
  } else await leaveDisk(context, replica, prepared, version);
  clock.lap("commitMs");
  return { outcome: "done", version, onDisk, report };
}

/** Stages the write and prepares those of its refs that may land. */
async function stageAndPrepare(
  context: SyncContext,
  replica: Replica,
  row: StageRequest,
  write: WriteAttempt,
  { early, report, undecided }: { early: LockedEarly | undefined; report: PushReport; undecided: Undecided },
): Promise<AtOnce | Attempt> {
  const staged = await stage(context, replica, row, write, undecided);
  if (staged.outcome !== "staged") return staged;
  const { request, sessionBase, act, clock } = write;
  const bySession = sessionBase !== undefined || act !== undefined;
  const preparing = { ...request, bySession, onHead: staged.onHead };
  const prepared = await prepareFresh(context, replica, preparing, staged.held, report, early);
  clock.lap("prepareMs");
  if (prepared.outcome === "prepared") return { prepared, digestKey: staged.digestKey };
  undecided.reason = "the refs were not as the pusher saw them";
  if (prepared.outcome !== "nothing") return { outcome: "raced" };
  return { outcome: "done", version: null, onDisk: true, report };
}

/**
 * Returns whether a write may land only on the refs that are on this disk. A session has the turn for that. The hook of
 * an operator sees the refs of this disk, and is told that they change when they do.
 */
function onlyOnHead({ gitDir }: Replica, { sessionBase, request }: WriteAttempt): boolean {
  return sessionBase !== undefined || hookFolder(gitDir, request.refAuthor) !== undefined;
}

/**
 * Waits until the objects are on disk, and notes that the replica is in doubt. So after a kill between the first ref
 * and the last, nobody believes the old version. If the disk refuses either, the write is dropped: nothing is decided.
 * Throws PREREQUISITE_MISSING and REPLICA_IN_DOUBT then, which tell the pusher that nothing landed.
 */
export async function syncAndDoubt(replica: Replica, synced: Promise<void>): Promise<void> {
  const { id: repositoryId, applied: version, appliedDigest: digest } = replica;
  const noted = version === undefined ? undefined : { repositoryId, version, digest };
  const doubted = doubtReplicaRecord(replica.gitDir, noted);
  // Wait for both before releasing the mutex, even if one fails.
  const ends = await Promise.allSettled([synced, doubted]);
  const failed = ends.find((end) => end.status === "rejected");
  if (failed) throw diskError(failed.reason) ?? failed.reason;
}

/**
 * Returns the outcome of a write that is proven dropped. The replica has the refs that it had. One that was not staged
 * proves nothing about this disk: the pusher may have seen another value, or a ref that leads to others.
 */
async function notLanded(
  context: SyncContext,
  replica: Replica,
  base: Version,
  decision: Exclude<Decision, { outcome: "landed" }>,
  atOnce: boolean,
): Promise<Attempt> {
  const attempt: Attempt =
    atOnce && decision.outcome !== "failed" ? { outcome: "not_at_once" } : outcomeOf(context, decision);
  if (decision.outcome === "in_doubt" && !atOnce) await putInDoubt(replica);
  if (replica.applied === base)
    await noteOnDisk(context, replica, { version: base, digest: Buffer.from(replica.appliedDigest, "hex") });
  if (decision.outcome === "failed" && isPermanent(decision.error)) throw decision.error;
  return attempt;
}
