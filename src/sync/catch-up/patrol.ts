// Finds files that are not refs in directories deep among the refs. A read does not notice these, because it walks
// through no directory. The patrol looks at one replica at a time, among those that are read, in the background.
import { setTimeout as sleep } from "node:timers/promises";
import { describe } from "../../errors.ts";
import { hasForeignFiles } from "../../git/replica/foreign-files.ts";
import { isReftable } from "../../io/disk.ts";
import { WAITS } from "../../waits.ts";
import type { SyncContext } from "../device/context.ts";
import { catchUp } from "./catch-up.ts";

/** Looks through the replicas until the context's signal aborts. */
export async function patrol(context: SyncContext): Promise<void> {
  while (!context.signal.aborted) {
    await sleep(WAITS.patrolMs, undefined, { signal: context.signal }).catch(() => {});
    if (!context.signal.aborted) await lookThrough(context);
  }
}

/**
 * Looks through one replica. If a file among its refs is not a ref, has the replica compared with the log. Never
 * rejects.
 */
export async function lookThrough(context: SyncContext): Promise<void> {
  const replica = context.replicas.nextTouched();
  if (replica?.applied === undefined || isReftable(replica.gitDir)) return;
  try {
    if (!(await hasForeignFiles(replica.gitDir))) return;
    await replica.mutex.distrust();
    await catchUp(context, replica, 0n, { signal: context.signal, insist: true });
  } catch (error) {
    if (!context.signal.aborted)
      context.log.warn(
        { repository: replica.name, err: describe(error) },
        "could not look for files among the refs of a replica",
      );
  }
}
