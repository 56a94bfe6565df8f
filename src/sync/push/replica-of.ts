// Finds the replica to which a push writes.
import { LockstepError } from "../../errors.ts";
import { adoptingAs } from "../../git/replica/take-in.ts";
import { linkSignals } from "../../io/signals.ts";
import { WAITS } from "../../waits.ts";
import type { SyncContext } from "../device/context.ts";
import { type Replica, replicaPath } from "../device/replica.ts";
import { beforeRead } from "../read/before-read.ts";

/**
 * Returns the replica to write to. If this process knows its version, the database is not asked: it compares the refs
 * of the write with those at the head.
 */
export async function replicaOf(context: SyncContext, repository: string): Promise<Replica> {
  const known = context.replicas.findByName(repository);
  await known?.mutex.look();
  if (known?.applied !== undefined) return known;
  return await readFirst(context, repository);
}

/** Catches the replica up to the head and returns it. */
export async function readFirst(context: SyncContext, repository: string): Promise<Replica> {
  using patience = linkSignals([context.signal], WAITS.pushReadMs);
  try {
    return (await beforeRead(context, repository, { signal: patience.signal })).replica;
  } catch (error) {
    // The hook is there before the repository is.
    const isUnknown = error instanceof LockstepError && error.code === "REPOSITORY_NOT_FOUND";
    if (!isUnknown || (await adoptingAs(replicaPath(context.root, repository))) === undefined) throw error;
    throw new LockstepError(
      "BEING_ADOPTED",
      `${repository} is being adopted by Lockstep at this moment; nothing was written, push again.`,
      { cause: error, details: { repository } },
    );
  }
}
