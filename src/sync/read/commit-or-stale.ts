// Serves reads that ask for more or for less than the head: a certain commit, or an answer that may be somewhat old.
import { setTimeout as sleep } from "node:timers/promises";
import { isObjectId } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { isReachable } from "../../git/refs/refs.ts";
import type { SyncContext } from "../device/context.ts";
import { beforeRead, type ReadGrant, type ReadOptions } from "./before-read.ts";

/**
 * The pause before a missing commit is looked for again. Its push comes here by NOTIFY, or with the next question for
 * the head.
 */
const LOOK_AGAIN_MS = 200;

/**
 * Does what `beforeRead` does, and waits until `commit` is reachable from the applied refs. A CI job that was told of a
 * commit asks for that. `commit` is the id of a commit or of an annotated tag. That the object exists proves nothing,
 * because undecided objects exist too. Throws COMMIT_NOT_FOUND when the caller gives up first, INVALID_REQUEST for the
 * id of another object.
 */
export async function readWithCommit(
  context: SyncContext,
  name: string,
  commit: string,
  options: ReadOptions,
): Promise<ReadGrant> {
  if (!isObjectId(commit)) {
    throw new LockstepError("INVALID_REQUEST", "`commit` must be a full object id in lower-case hex.");
  }
  let fetched = false;
  for (;;) {
    const grant = await beforeRead(context, name, options);
    fetched ||= grant.fetched;
    const reachable = await isReachable(context.git, grant.replica.gitDir, commit, options.signal).catch((error) => {
      // The caller may give up in the middle of the walk.
      if (options.signal.aborted) return false;
      throw error;
    });
    if (reachable) return { ...grant, fetched };
    await sleep(LOOK_AGAIN_MS, undefined, { signal: options.signal }).catch(() => {});
    if (options.signal.aborted) throw commitNotFoundError(name, commit, grant.version);
  }
}

function commitNotFoundError(name: string, commit: string, version: bigint): LockstepError {
  return new LockstepError(
    "COMMIT_NOT_FOUND",
    `No ref of ${name} at version ${version} contains commit ${commit.slice(0, 12)}; see whether it has been pushed, and try again.`,
    { details: { repository: name, commit, version: String(version) } },
  );
}

/**
 * Grants a read of a version that was the head at most `maxStalenessMs` ago, without asking the database. If that is
 * too long ago, or for a push, does what `beforeRead` does. `stale` says which of the two happened.
 */
export async function readWithStaleness(
  context: SyncContext,
  name: string,
  maxStalenessMs: number,
  options: ReadOptions,
): Promise<ReadGrant & { stale: boolean }> {
  const replica = context.replicas.findByName(name);
  if (!options.forPush) await replica?.mutex.look();
  const { applied: version, currentAt } = replica ?? {};
  const fresh = !options.forPush && currentAt !== undefined && performance.now() - currentAt <= maxStalenessMs;
  if (replica && version !== undefined && fresh && version >= (options.minVersion ?? 0n)) {
    return { replica, version, fetched: false, stale: true };
  }
  return { ...(await beforeRead(context, name, options)), stale: false };
}
