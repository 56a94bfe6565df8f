// What git would have refused in receive-pack, had proc-receive not taken over, and the `update` hook.
import { whyUnacceptable } from "../../acceptable-ref.ts";
import {
  HEAD,
  isBelow,
  isObjectId,
  isSymbolic,
  type RefName,
  type RefUpdate,
  toBytes,
  toLatin1,
} from "../../domain.ts";
import type { Walk } from "../../git/objects/connectivity.ts";
import { incompleteUpdates } from "../../git/objects/whole-updates.ts";
import { isFastForward, type ReceivePolicy } from "../../git/policy.ts";
import { currentBranch } from "../../git/refs/symbolic-refs.ts";
import { checkedOut } from "../../git/replica/worktrees.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { beforeRead } from "../read/before-read.ts";
import { type Pusher, type PushRequest, pusherGone } from "./request.ts";

/**
 * Writes the reason of every refusal into `report` and returns the updates that remain; with --atomic, one refusal refuses all.
 * The checks and their words are those of git's receive-pack.
 */
export async function applyPolicy(
  context: SyncContext,
  replica: Replica,
  request: PushRequest,
  report: Map<RefName, string | null>,
  pusher: Pusher,
  walk?: Walk,
): Promise<RefUpdate[]> {
  const [incomplete, policy] = await Promise.all([
    notWhole(context, replica, request, pusher, walk),
    context.policies.read(replica.gitDir, pusher),
  ]);
  const { updateHook } = policy;
  const deletesBranches = request.updates.some(
    ({ name, newValue }) => newValue === null && isBelow(name, "refs/heads/"),
  );
  const head = deletesBranches ? await currentBranch(context.git, replica.gitDir) : undefined;
  const current = await checkedOut(replica.gitDir);
  const allowed: RefUpdate[] = [];
  for (const update of request.updates) {
    const reason =
      malformed(update) ??
      incomplete.get(update.name) ??
      refusedCheckedOut(policy, update, current, pusher) ??
      refusedDelete(policy, update, current.has(update.name) || head === update.name, pusher) ??
      (await refusedRewind(context, replica, policy, update)) ??
      (updateHook === undefined ? null : await declined(updateHook, update, pusher, replica));
    report.set(update.name, reason);
    if (reason === null) allowed.push(update);
    // git asks no further hook about a push that is refused already.
    else if (request.atomic) break;
  }
  return request.atomic ? allOrNone(allowed, report) : allowed;
}

async function notWhole(
  context: SyncContext,
  replica: Replica,
  { repository, updates }: PushRequest,
  { gone }: Pusher,
  started: Walk | undefined,
): Promise<Map<RefName, string>> {
  const readable = updates.filter((update) => malformed(update) === null);
  const look = (walk?: Walk) =>
    incompleteUpdates(context.git, replica.gitDir, readable, { signal: gone, started: walk });
  try {
    const incomplete = await look(started);
    if (incomplete.size === 0) return incomplete;
    // What is missing may have landed elsewhere a moment ago.
    await beforeRead(context, repository, { signal: gone });
    return await look();
  } catch (error) {
    throw gone.aborted ? pusherGone() : error;
  }
}

/** With --atomic, one refused ref refuses all. */
export function allOrNone(allowed: RefUpdate[], report: Map<RefName, string | null>): RefUpdate[] {
  if (allowed.length === report.size) return allowed;
  for (const [name, reason] of report) if (reason === null) report.set(name, "atomic push failure");
  return [];
}

/** Somebody has made a work tree of the replica (`git worktree add`), which would not follow its branch. */
function refusedCheckedOut(
  policy: ReceivePolicy,
  { name }: RefUpdate,
  current: ReadonlySet<RefName>,
  pusher: Pusher,
): string | null {
  if (!current.has(name)) return null;
  if (policy.denyCurrentBranch === "warn") pusher.say("warning: updating the current branch");
  return policy.denyCurrentBranch === "refuse" ? "branch is currently checked out" : null;
}

function refusedDelete(
  policy: ReceivePolicy,
  { name, oldValue, newValue }: RefUpdate,
  isCurrent: boolean,
  pusher: Pusher,
): string | null {
  if (newValue !== null || oldValue === null) return null;
  if (policy.denyDeletes && isBelow(name, "refs/heads/")) return "deletion prohibited";
  if (!isCurrent) return null;
  if (policy.denyDeleteCurrent === "warn") pusher.say("warning: deleting the current branch");
  return policy.denyDeleteCurrent === "refuse" ? "deletion of the current branch prohibited" : null;
}

async function refusedRewind(
  context: SyncContext,
  replica: Replica,
  policy: ReceivePolicy,
  { name, oldValue, newValue }: RefUpdate,
): Promise<string | null> {
  if (!policy.denyNonFastForwards || !isBelow(name, "refs/heads/")) return null;
  if (oldValue === null || newValue === null || isSymbolic(oldValue) || isSymbolic(newValue)) return null;
  return (await isFastForward(context.git, replica.gitDir, oldValue, newValue)) ? null : "non-fast-forward";
}

async function declined(hook: string, update: RefUpdate, pusher: Pusher, replica: Replica): Promise<string | null> {
  const zero = "0".repeat(replica.objectFormat === "sha1" ? 40 : 64);
  const args = [update.name, update.oldValue, update.newValue].map((each) =>
    each === null ? Buffer.from(zero) : toBytes(each),
  );
  return (await pusher.runHook(hook, args)) === 0 ? null : "hook declined";
}

/** Refuses what no repository may hold, before anything is asked of git or the database. Returns the reason, or null. */
function malformed(update: RefUpdate): string | null {
  // A push cannot name it: only a write session changes HEAD.
  if (update.name === HEAD) return "funny refname";
  for (const value of [update.oldValue, update.newValue])
    if (value !== null && !isObjectId(toLatin1(value))) return "not an object id";
  return whyUnacceptable(update);
}
