// The database lost writes that this device has. The device then rolls nothing back. It stops the repository on all
// devices until an operator says whose refs stay (docs/operations.md, AHEAD_OF_DATABASE).
import type { Version } from "../../domain.ts";
import { describe, LockstepError } from "../../errors.ts";
import { unavailableError } from "../../store/database/sqlstate.ts";
import { stopRepository } from "../../store/log/log-standing.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";

/**
 * Stops the repository and returns the error to throw. `held` is the version on this disk; the database, at `head`, did
 * not seem to know it. If the database does know it after all, nothing is stopped, and the error says to try again.
 */
export async function stopAheadOfDatabase(
  context: SyncContext,
  { id, name }: Pick<Replica, "id" | "name">,
  held: { version: Version; digest: string },
  head: Version,
): Promise<LockstepError> {
  const { device } = context.me;
  const { version: onDisk } = held;
  const knows = onDisk > head ? `only ${head}` : "another version of that number";
  const reason = `the database lost writes: device ${device} holds version ${onDisk}, and the database knows ${knows}`;
  try {
    const stopped = await stopRepository(context.db, context.me, { repositoryId: id, ...held }, reason);
    if (!stopped)
      return unavailableError("it has answered with older versions than it holds: it was another server, or busy");
  } catch (error) {
    context.log.warn({ repository: name, err: describe(error) }, "could not stop a repository, trying again");
  }
  return new LockstepError(
    "AHEAD_OF_DATABASE",
    `The replica of ${name} on this device holds version ${onDisk}, the database knows ${knows}: the database lost writes ` +
      "(a fail-over or an old backup). Nothing is changed here; restore the newer database, or say whose refs stay with " +
      `\`lockstep thaw ${name} --promote DEVICE\`.`,
    { details: { repository: name, version: String(onDisk), head: String(head) } },
  );
}

/**
 * Makes the error AHEAD_OF_DATABASE for a repository that is stopped. Another device may be the one that is ahead. This
 * one must refuse too: the database lacks writes that others acknowledged.
 */
export function stoppedError(name: string, reason: string): LockstepError {
  return new LockstepError(
    "AHEAD_OF_DATABASE",
    `Repository ${name} is stopped (${reason}); restore the newer database, or say whose refs stay with ` +
      `\`lockstep thaw ${name} --promote DEVICE\`.`,
    { details: { repository: name, reason } },
  );
}
