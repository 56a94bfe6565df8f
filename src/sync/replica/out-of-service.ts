// Work on the files of a replica itself, by an operator for whom a scratch repository will not do. The replica is out of service
// meanwhile: nobody reads what is undecided there. At the end what was changed becomes the scratch of the session, which lands or is
// kept as ever, and the next touch folds the log onto the files.
import { join } from "node:path";
import { describe, LockstepError } from "../../errors.ts";
import { leaveLive, noteLive } from "../../git/replica/live-note.ts";
import { scratchPath } from "../../git/replica/scratch.ts";
import { doubtReplicaRecord, STATE_DIR } from "../../git/root/root-record.ts";
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
 * Makes what was changed on the files the scratch of its session, and puts the replica, in doubt, back into service; nothing where
 * nobody has worked on them. The caller holds the mutex. Throws REPLICA_IN_DOUBT while somebody still does.
 */
export async function endLive(context: SyncContext, replica: Replica): Promise<void> {
  await leaveLive(context.git, replica, (writeId) => scratchPath(join(context.root, STATE_DIR), writeId));
  replica.outOfService = undefined;
}

/** The same, if it is that session which works on the files of the repository's replica. */
export async function endLiveOf(context: SyncContext, repository: string, writeId: string): Promise<void> {
  const replica = context.replicas.findByName(repository);
  if (replica?.outOfService?.writeId !== writeId) return;
  await replica.mutex.runExclusive(() => endLive(context, replica));
}

/** Ends the work of sessions that are over, whose callers have died or lost their lease. */
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

/** REPLICA_IN_DOUBT: this replica is out of service for that session. */
export function outOfServiceError(name: string, { author, reason, writeId }: OutOfService): LockstepError {
  return new LockstepError(
    "REPLICA_IN_DOUBT",
    `The replica of ${name} on this device is out of service: ${author} works on its files (${reason}); ask another device.`,
    { details: { repository: name, author, reason, write: writeId } },
  );
}
