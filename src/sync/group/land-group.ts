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
import { isGone, type Member } from "./member.ts";

/** A group whose refs are locked. Its updates are those of all members, in their order. */
interface Ready {
  readonly prepared: AtOnce["prepared"];
  readonly request: LandTogetherRequest;
}

/**
 * Decides the pushes of a group, and tells each its outcome. Returns false if nothing was decided: then each of them
 * must be attempted alone. If a pusher has gone meanwhile, the others may be in another group.
 */
export async function landGroup(context: SyncContext, replica: Replica, group: readonly Member[]): Promise<boolean> {
  let decides = false;
  try {
    if (!group.every(({ write }) => mayShareGit(replica, write))) return false;
    const updates = group.flatMap(({ write }) => write.request.updates);
    await using transaction = transactionOf(context, replica, group, updates.length);
    const ready = await orInDoubt(replica, () => prepare(replica, group, updates, transaction));
    if (ready === undefined) return false;
    await crashPoint("group.deciding");
    decides = true;
    for (const member of group) member.state = "taken";
    await decide(context, replica, group, ready);
  } catch (error) {
    const what = decides ? "a step after the decision of several pushes failed" : "pushes are not decided together";
    context.log.warn({ repository: replica.name, err: describe(error) }, what);
  } finally {
    // Without a pusher that has gone meanwhile, the others may still be decided together.
    if (!decides && !group.some(isGone)) for (const member of group) member.state = "alone";
  }
  return decides;
}

/**
 * Returns whether the git of another push may write the refs of this one. It may not where git tells a hook or a reflog
 * who made the change.
 */
function mayShareGit({ gitDir }: Replica, { request }: WriteAttempt): boolean {
  return hookFolder(gitDir, request.refAuthor) === undefined && !hasReflogs(gitDir);
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
  // The refs of that push are locked with those of the others, and git commits all or none.
  if (group.some(isGone)) return undefined;
  const { prepared, digestKey } = atOnce;
  const writes = group.map(({ write: { writeId, request } }) => ({
    writeId,
    repositoryId: replica.id,
    author: request.author,
    updates: request.updates,
    difference: differenceOf(digestKey, request.updates),
  }));
  const baseDigest = Buffer.from(appliedDigest, "hex");
  return { prepared, request: { repositoryId: replica.id, base, baseDigest, writes } };
}

/**
 * Decides the group, writes its refs and tells each member. An error after the decision changes no outcome. It only
 * means that the refs are not on this disk.
 */
async function decide(
  context: SyncContext,
  replica: Replica,
  group: readonly Member[],
  { prepared, request }: Ready,
): Promise<void> {
  const clock = lapsOf(group);
  const { base, baseDigest } = request;
  const outcomes = await decideWrites(context, replica, request);
  const versions = outcomes.flatMap((each) => (each.status === "landed" ? [each.version] : []));
  let onDisk = false;
  try {
    clock.lap("landMs");
    await crashPoint("group.decided");
    onDisk = await writeRefs(context, replica, { prepared, request }, versions);
    clock.lap("commitMs");
  } finally {
    for (const [index, member] of group.entries()) tell(member, outcomes[index] as Outcome, onDisk);
  }
  if (versions.length === 0 && replica.applied === base)
    await noteOnDisk(context, replica, { version: base, digest: baseDigest });
}

/** Writes the refs of a group if all of it landed next to the base. Returns true if so. */
async function writeRefs(
  context: SyncContext,
  replica: Replica,
  { prepared, request: { base, baseDigest, writes } }: Ready,
  versions: readonly Version[],
): Promise<boolean> {
  const last = versions.at(-1);
  if (last === undefined) return false;
  const onDisk = versions.length === writes.length && versions[0] === base + 1n;
  if (onDisk) {
    const digest = writes.reduce((sum, { difference }) => addDigests(sum, difference), baseDigest);
    await commit(context, replica, prepared, { version: last, digest });
  } else await leaveDisk(context, replica, prepared, last);
  return onDisk;
}

/** The final outcome of a member, or the error OUTCOME_UNKNOWN. */
type Outcome = Settled | { status: "unknown"; error: unknown };

/**
 * Decides the writes. After every other answer than their versions, and after an error, the row of each is asked. Never
 * throws: the outcome of a write is what the database says, or unknown.
 */
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
