// Takes a replica out of service while an operator works on its files, for whom a scratch repository is not enough.
// Nobody reads its undecided refs meanwhile. At the end the refs in the files become the scratch of the session, which
// lands or is kept like any other. The next access folds the log onto the files.
import { join } from "node:path";
import { describe, LockstepError } from "../../errors.ts";
import { doubtReplicaRecord, STATE_DIR } from "../../git/root/root-record.ts";
import { leaveLive, noteLive } from "../../git/scratch/live-note.ts";
import { scratchPath } from "../../git/scratch/scratch.ts";
import type { SyncContext } from "../device/context.ts";
import type { OutOfService, Replica } from "../device/replica.ts";

/** Takes a replica out of service for a session. The caller holds the mutex, and the refs are those of the base. */
export async function beginLive(context: SyncContext, replica: Replica, session: OutOfService): Promise<void> {
  replica.outOfService = session;
  replica.applied = undefined;
  await noteLive(context.git, replica.gitDir, session.writeId);
  await doubtReplicaRecord(replica.gitDir);
}

/**
 * Makes the refs in the files the scratch of the session, and puts the replica, in doubt, back into service. Does
 * nothing if nobody has worked on the files. The caller holds the mutex. Throws REPLICA_IN_DOUBT while a process still
 * works on the files.
 */
export async function endLive(context: SyncContext, replica: Replica): Promise<void> {
  await leaveLive(context.git, replica, (writeId) => scratchPath(join(context.root, STATE_DIR), writeId));
  replica.keptReader.end();
  replica.outOfService = undefined;
}

/** Ends the work of one session on the files of the repository's replica, if that session works on them. */
export async function endLiveOf(context: SyncContext, repository: string, writeId: string): Promise<void> {
  const replica = context.replicas.findByName(repository);
  if (replica?.outOfService?.writeId !== writeId) return;
  await replica.mutex.runExclusive(() => endLive(context, replica));
}

/** Ends the work on files for sessions that are over: their callers have died or lost their lease. */
export async function endLiveOfAll(context: SyncContext, isOver: (writeId: string) => boolean): Promise<void> {
  for (const { name, outOfService } of context.replicas.outOfService()) {
    if (outOfService === undefined || !isOver(outOfService.writeId)) continue;
    const { writeId } = outOfService;
    await context.sessions
      .exclusively(writeId, () => endLiveOf(context, name, writeId))
      .catch((error: unknown) =>
        context.log.warn({ repository: name, write: writeId, err: describe(error) }, "a replica stays out of service"),
      );
  }
}

/** Makes the error REPLICA_IN_DOUBT: the replica is out of service for that session. */
export function outOfServiceError(name: string, { author, reason, writeId }: OutOfService): LockstepError {
  return new LockstepError(
    "REPLICA_IN_DOUBT",
    `The replica of ${name} on this device is out of service: ${author} works on its files (${reason}); ask another device.`,
    { details: { repository: name, author, reason, write: writeId } },
  );
}
