// Applies the policy that git's receive-pack skips when proc-receive takes the refs, and runs the `update` hook.
import { whyUnacceptable } from "../../acceptable-ref.ts";
import {
  displayRef,
  HEAD,
  isBelow,
  isObjectId,
  isSymbolic,
  type RefName,
  type RefUpdate,
  toBytes,
  toLatin1,
} from "../../domain.ts";
import { incompleteUpdates } from "../../git/objects/whole-updates.ts";
import { isFastForward, type ReceivePolicy } from "../../git/receive-policy.ts";
import { currentBranch } from "../../git/refs/symbolic-refs.ts";
import { checkedOut } from "../../git/replica/worktrees.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { beforeRead } from "../read/before-read.ts";
import type { PushReport } from "../write/push-report.ts";
import { type Pusher, type PushRequest, pusherGoneError } from "../write/request.ts";

/**
 * Writes the reason of every refusal into `report` and returns the updates that remain. With --atomic, one refusal
 * refuses all. `hooks`: the folder in which the git server looks for hooks. The checks and their words are those of
 * git's receive-pack.
 */
export async function applyPolicy(
  context: SyncContext,
  replica: Replica,
  request: PushRequest,
  report: PushReport,
  pusher: Pusher,
): Promise<{ allowed: RefUpdate[]; hooks: string }> {
  const [incomplete, policy] = await Promise.all([
    notWhole(context, replica, request, pusher),
    context.policies.read(replica.gitDir, pusher),
  ]);
  const { updateHook } = policy;
  const deletesBranches = request.updates.some(
    ({ name, newValue }) => newValue === null && isBelow(name, "refs/heads/"),
  );
  const head = deletesBranches ? await currentBranch(context.git, replica.gitDir) : undefined;
  const current = await checkedOut(replica.gitDir);
  const twice = namedTwice(request.updates);
  const allowed: RefUpdate[] = [];
  for (const update of request.updates) {
    const reason =
      malformed(update) ??
      (twice.has(update.name) ? NAMED_TWICE : null) ??
      incomplete.get(update.name) ??
      refusedCheckedOut(policy, update, current, pusher) ??
      refusedDelete(policy, update, current.has(update.name) || head === update.name, pusher) ??
      (await refusedRewind(context, replica, policy, update)) ??
      (updateHook === undefined ? null : await declined(updateHook, update, pusher, replica));
    report.tell(update.name, reason);
    const words = reason === null ? undefined : IN_WORDS[reason];
    if (words !== undefined) pusher.sayAsGit(`error: ${words(displayRef(update.name))}`);
    if (reason === null) allowed.push(update);
    // git runs no further hook for a push that is refused already.
    else if (request.atomic) break;
  }
  return { allowed: request.atomic ? report.allOrNone(allowed) : allowed, hooks: policy.hooks };
}

const NAMED_TWICE = "multiple updates for one ref";

/** Returns the refs that are named more than once. git before 2.51 takes the first update of such a ref. */
function namedTwice(updates: readonly RefUpdate[]): Set<RefName> {
  const seen = new Set<RefName>();
  return new Set(updates.map(({ name }) => name).filter((name) => seen.has(name) || !seen.add(name)));
}

/** The words of git about a refusal, besides the reason that it reports. */
const IN_WORDS: Readonly<Record<string, (name: string) => string>> = {
  "funny refname": (name) => `refusing to update funny ref '${name}' remotely`,
  "branch is currently checked out": (name) => `refusing to update checked out branch: ${name}`,
  "deletion prohibited": (name) => `denying ref deletion for ${name}`,
  "deletion of the current branch prohibited": (name) => `refusing to delete the current branch: ${name}`,
  "non-fast-forward": (name) => `denying non-fast-forward ${name} (you should pull first)`,
  [NAMED_TWICE]: (name) => `multiple updates for ref '${name}' not allowed`,
  "hook declined": (name) => `hook declined to update ${name}`,
};

async function notWhole(
  context: SyncContext,
  replica: Replica,
  { repository, updates }: PushRequest,
  { gone }: Pusher,
): Promise<Map<RefName, string>> {
  const readable = updates.filter((update) => malformed(update) === null);
  const { gitDir, keptReader: reader } = replica;
  const look = () => incompleteUpdates(context.git, gitDir, readable, { signal: gone, reader });
  try {
    const incomplete = await look();
    if (incomplete.size === 0) return incomplete;
    // Missing objects may have landed elsewhere a moment ago.
    await beforeRead(context, repository, { signal: gone });
    return await look();
  } catch (error) {
    throw gone.aborted ? pusherGoneError() : error;
  }
}

/**
 * Refuses a branch that a work tree of the replica has checked out (`git worktree add`): the work tree would not
 * follow.
 */
function refusedCheckedOut(
  policy: ReceivePolicy,
  { name }: RefUpdate,
  current: ReadonlySet<RefName>,
  pusher: Pusher,
): string | null {
  if (!current.has(name)) return null;
  if (policy.denyCurrentBranch === "warn") pusher.sayAsGit("warning: updating the current branch");
  return policy.denyCurrentBranch === "refuse" ? "branch is currently checked out" : null;
}

function refusedDelete(
  policy: ReceivePolicy,
  { name, oldValue, newValue }: RefUpdate,
  isCurrent: boolean,
  pusher: Pusher,
): string | null {
  if (newValue !== null) return null;
  if (oldValue === null) {
    pusher.sayAsGit("warning: deleting a non-existent ref");
    return null;
  }
  if (policy.denyDeletes && isBelow(name, "refs/heads/")) return "deletion prohibited";
  if (!isCurrent) return null;
  if (policy.denyDeleteCurrent === "warn") pusher.sayAsGit("warning: deleting the current branch");
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

/** Returns why no repository may hold this update, or null. It asks neither git nor the database. */
function malformed(update: RefUpdate): string | null {
  // A push cannot name HEAD: only a write session changes it.
  if (update.name === HEAD) return "funny refname";
  for (const value of [update.oldValue, update.newValue])
    if (value !== null && !isObjectId(toLatin1(value))) return "not an object id";
  return whyUnacceptable(update);
}
