// Pushes that wait for the mutex of a replica while one decision is under way. The push that gets the mutex next takes
// the others along: they are decided together (land-group.ts). A push that finds nobody waiting is never delayed.
import { crashPoint } from "../../crash-points.ts";
import { TakenNames } from "../../git/refs/ref-paths.ts";
import { gitSyncsRefs } from "../../io/disk.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { attemptWrite } from "../write/attempt.ts";
import type { Attempt, WriteAttempt } from "../write/outcome.ts";
import { pusherGoneError } from "../write/request.ts";
import { landGroup } from "./land-group.ts";
import { isGone, Member } from "./member.ts";

/** A larger group would hold the mutex, and the locks of its refs, for too long. */
const MOST = 32;

/** The members that wait, by replica, in the order in which they came. */
const queues = new WeakMap<Replica, Set<Member>>();

/** Tries to land the updates of a push, like `attemptWrite`, perhaps together with other pushes. */
export async function attemptTogether(context: SyncContext, replica: Replica, write: WriteAttempt): Promise<Attempt> {
  if (!mayShare(write)) return await attemptWrite(context, replica, write);
  const queue = queues.get(replica) ?? new Set();
  queues.set(replica, queue);
  const member = new Member(write);
  queue.add(member);
  const alone = attemptWrite(context, replica, write, {
    known: () => (member.state === "taken" ? member.decided : undefined),
    lead: async () => {
      queue.delete(member);
      if (isGone(member)) throw pusherGoneError();
      if (member.state === "alone") return undefined;
      const group = gather(replica, member, queue);
      if (group.length < 2) return undefined;
      if (await landGroup(context, replica, group)) return await member.decided;
      // The next one takes those along that need not go alone.
      for (const other of group) if (other !== member && other.state === "waiting") queue.add(other);
      return undefined;
    },
  }).catch(async (error: unknown) => {
    queue.delete(member);
    // Only its group knows what became of a push that was taken along.
    if (member.state === "taken") return await member.decided;
    throw error;
  });
  alone.catch(() => {});
  try {
    await crashPoint("group.waiting");
    // A push that was taken along does not wait until the mutex comes round to it.
    return await Promise.race([alone, member.decided]);
  } finally {
    queue.delete(member);
  }
}

/** Returns whether a write needs nothing but a decision. No alias, no act, no ticket, no copies. */
function mayShare({ atOnce, aliases, act, ticket, holders, request }: WriteAttempt): boolean {
  const isPlain = atOnce === true && (aliases?.size ?? 0) === 0;
  if (!isPlain || act !== undefined || ticket !== undefined || holders !== undefined) return false;
  return request.updates.every(({ oldValue, newValue }) => oldValue !== newValue);
}

/**
 * Returns the first member and those of the queue that may be decided with it, and removes these from the queue. A
 * member whose refs another one names, or makes impossible, waits. So does each that comes after it and names the same.
 */
function gather({ gitDir }: Replica, first: Member, queue: Set<Member>): Member[] {
  const group = [first];
  if (queue.size === 0) return group;
  const taken = new TakenNames(first.names);
  let count = first.names.length;
  for (const member of queue) {
    if (isGone(member)) continue;
    const { names } = member;
    const fits = names.every((name) => taken.leaveRoomFor(name)) && gitSyncsRefs(gitDir, count + names.length);
    for (const name of names) taken.add(name);
    if (!fits) continue;
    queue.delete(member);
    group.push(member);
    count += names.length;
    if (group.length === MOST) break;
  }
  return group;
}
