// Lands several pushes to one replica together: one transaction of refs, one barrier for objects, one statement. Each
// push gets a version of its own. Runs under the replica's mutex.
import { crashPoint } from "../../crash-points.ts";
import { addDigests, differenceOf } from "../../digest.ts";
import type { RefUpdate, Version } from "../../domain.ts";
import { describe } from "../../errors.ts";
import { hookFolder } from "../../git/ref-hook.ts";
import { hasReflogs } from "../../git/transactions/kept-git.ts";
import { RefTransaction } from "../../git/transactions/ref-transaction.ts";
import { syncObjects } from "../../io/disk.ts";
import { type LandTogetherRequest, landTogether } from "../../store/write/land-together.ts";
import type { Settled } from "../../store/write/writes.ts";
import type { Stopwatch } from "../../telemetry/stopwatch.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { noteOnDisk } from "../replica/apply.ts";
import { type AtOnce, readyAtOnce } from "../write/at-once.ts";
import { orInDoubt, syncAndDoubt } from "../write/attempt.ts";
import { commit, leaveDisk } from "../write/commit.ts";
import { settle } from "../write/decide.ts";
import type { WriteAttempt } from "../write/outcome.ts";
import { prepareEarly } from "../write/prepare-refs.ts";
import { PushReport } from "../write/push-report.ts";
import type { Member } from "./member.ts";

/** A group whose refs are locked. Its updates are those of all members, in their order. */
interface Ready {
  readonly atOnce: AtOnce;
  readonly base: Version;
  readonly baseDigest: Buffer;
}

/**
 * Decides the pushes of a group, and tells each its outcome. Returns false if nothing was decided: then each of them
 * must be attempted alone.
 */
export async function landGroup(context: SyncContext, replica: Replica, group: readonly Member[]): Promise<boolean> {
  let decides = false;
  try {
    if (!group.every(({ write }) => mayShareGit(replica, write))) return false;
    const updates = group.flatMap(({ write }) => write.request.updates);
    await using transaction = transactionOf(context, replica, group, updates.length);
    const ready = await orInDoubt(replica, () => prepare(replica, group, updates, transaction));
    if (ready === undefined) return false;
    decides = true;
    for (const member of group) member.state = "taken";
    await decide(context, replica, group, ready);
  } catch (error) {
    context.log.warn({ repository: replica.name, err: describe(error) }, "pushes could not be written together");
    // Each that was not told yet is told now.
    if (decides) for (const member of group) member.fail(error);
  } finally {
    if (!decides) for (const member of group) member.state = "alone";
  }
  return decides;
}

/**
 * Returns whether the git of another push may write the refs of this one. It may not where git tells a hook or a reflog
 * who made the change. Nobody writes for a pusher that is gone.
 */
function mayShareGit({ gitDir }: Replica, { request, gone }: WriteAttempt): boolean {
  return gone?.aborted !== true && hookFolder(gitDir, request.refAuthor) === undefined && !hasReflogs(gitDir);
}

function transactionOf(
  context: SyncContext,
  { gitDir, keptGit: kept }: Replica,
  group: readonly Member[],
  count: number,
): RefTransaction {
  const [first] = group as [Member];
  const author = first.write.request.refAuthor;
  return first.write.started?.take(gitDir, count) ?? new RefTransaction(context.git, gitDir, { count, author, kept });
}

/** Locks the refs of the group, and makes its objects durable. undefined: the pushes cannot be decided together. */
async function prepare(
  replica: Replica,
  group: readonly Member[],
  updates: readonly RefUpdate[],
  transaction: RefTransaction,
): Promise<Ready | undefined> {
  const { applied: base, appliedDigest } = replica;
  if (base === undefined) return undefined;
  const clock = lapsOf(group);
  clock.lap("mutexMs");
  const synced = syncObjects(replica.gitDir);
  synced.catch(() => {});
  const early = prepareEarly(transaction, updates);
  const atOnce = await readyAtOnce(replica, { atOnce: true, request: { updates }, clock }, early, synced);
  if (atOnce === undefined) return undefined;
  await crashPoint("group.prepared");
  await syncAndDoubt(replica, synced);
  clock.lap("syncMs");
  // Each that is left is attempted alone. The one whose pusher is gone ends there.
  if (group.some(({ write }) => write.gone?.aborted)) return undefined;
  return { atOnce, base, baseDigest: Buffer.from(appliedDigest, "hex") };
}

/** Decides the group, and writes its refs if all of them landed next to the base. */
async function decide(
  context: SyncContext,
  replica: Replica,
  group: readonly Member[],
  { atOnce: { prepared, digestKey }, base, baseDigest }: Ready,
): Promise<void> {
  const clock = lapsOf(group);
  const writes = group.map(({ write: { writeId, request } }) => ({
    writeId,
    repositoryId: replica.id,
    author: request.author,
    updates: request.updates,
    difference: differenceOf(digestKey, request.updates),
  }));
  await crashPoint("group.deciding");
  const outcomes = await decideWrites(context, replica, { repositoryId: replica.id, base, baseDigest, writes });
  clock.lap("landMs");
  await crashPoint("group.decided");
  const versions = outcomes.flatMap((each) => (each.status === "landed" ? [each.version] : []));
  const last = versions.at(-1);
  const onDisk = versions.length === group.length && versions[0] === base + 1n;
  if (onDisk && last !== undefined) {
    const digest = writes.reduce((sum, { difference }) => addDigests(sum, difference), baseDigest);
    await commit(context, replica, prepared, { version: last, digest });
  } else if (last !== undefined) await leaveDisk(context, replica, prepared, last);
  clock.lap("commitMs");
  for (const [index, member] of group.entries()) tell(member, outcomes[index] as Outcome, onDisk);
  if (last === undefined && replica.applied === base)
    await noteOnDisk(context, replica, { version: base, digest: baseDigest });
}

/** The final outcome of a member, or the error OUTCOME_UNKNOWN. */
type Outcome = Settled | { status: "unknown"; error: unknown };

/** Decides the writes. After every other answer than their versions, and after an error, the row of each is asked. */
async function decideWrites(context: SyncContext, replica: Replica, request: LandTogetherRequest): Promise<Outcome[]> {
  let why = "not together";
  try {
    const versions = await landTogether(context.db, context.me, request);
    if (versions !== undefined) return versions.map((version) => ({ status: "landed", version }));
  } catch (error) {
    why = "failed";
    context.log.warn({ repository: replica.name, err: describe(error) }, "the decision is in doubt, asking for it");
  }
  return await Promise.all(
    request.writes.map(async (write) => {
      try {
        return await settle(context, replica, write, why);
      } catch (error) {
        return { status: "unknown" as const, error };
      }
    }),
  );
}

/** Tells a push its outcome. One that was dropped tries again alone, and stages its write: then it hears the reason. */
function tell(member: Member, outcome: Outcome, onDisk: boolean): void {
  if (outcome.status === "unknown") member.fail(outcome.error);
  else if (outcome.status === "dropped") member.tell({ outcome: "not_at_once" });
  else {
    const report = PushReport.of(member.write.request.updates);
    member.tell({ outcome: "done", version: outcome.version, onDisk, report });
  }
}

/** Returns the clocks of all members as one. */
function lapsOf(group: readonly Member[]): Pick<Stopwatch, "lap"> {
  return {
    lap: (name) => {
      for (const { write } of group) write.clock.lap(name);
    },
  };
}
