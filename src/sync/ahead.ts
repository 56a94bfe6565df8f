// The database lost writes that this device has: nothing is folded backwards. The repository stops on all devices until an operator
// says whose refs stay (docs/operations.md, AHEAD_OF_DATABASE).
import type { Version } from "../domain.ts";
import { describe, LockstepError } from "../errors.ts";
import { readReplicaRecord } from "../git/root-record.ts";
import { listReplicasAfter } from "../store/replicas.ts";
import { readStandings, stopRepository } from "../store/standing.ts";
import type { SyncContext } from "./context.ts";
import { type Replica, replicaPath } from "./replica.ts";

/** Replicas whose notes are compared in one statement. */
const PAGE = 500;

/** Stops the repository and returns the error to throw: this replica holds `onDisk`, which the database, at `head`, does not know. */
export async function aheadOfDatabase(
  context: SyncContext,
  replica: Pick<Replica, "id" | "name">,
  onDisk: Version,
  head: Version,
): Promise<LockstepError> {
  const { name } = replica;
  const { device } = context.me;
  const knows = onDisk > head ? `only ${head}` : "another one of that number";
  const reason = `device ${device} holds version ${onDisk}, the database knows ${knows}: it lost writes`;
  await stopRepository(context.db, context.me, replica.id, onDisk, reason).catch((error: unknown) =>
    context.log.warn({ repository: name, err: describe(error) }, "could not stop a repository, trying again"),
  );
  return new LockstepError(
    "AHEAD_OF_DATABASE",
    `The replica of ${name} on this device holds version ${onDisk}, the database knows ${knows}: the database lost writes ` +
      "(a fail-over or an old backup). Nothing is changed here; restore the newer database, or say whose refs stay with " +
      `\`lockstep thaw ${name} --promote DEVICE\`.`,
    { details: { repository: name, version: String(onDisk), head: String(head) } },
  );
}

/** AHEAD_OF_DATABASE on a device that need not be the one that is ahead: what the others acknowledged is not in the database. */
export function isStopped(name: string, reason: string): LockstepError {
  return new LockstepError(
    "AHEAD_OF_DATABASE",
    `Repository ${name} is stopped (${reason}); restore the newer database, or say whose refs stay with ` +
      `\`lockstep thaw ${name} --promote DEVICE\`.`,
    { details: { repository: name, reason } },
  );
}

/**
 * Compares the note beside every replica of this device with the log, and stops the repositories of which the database lost
 * writes. Reads a small file for each. Throws DATABASE_UNAVAILABLE.
 */
export async function stopWhatIsAhead(context: SyncContext): Promise<void> {
  for (let after = ""; !context.signal.aborted; ) {
    const rows = await listReplicasAfter(context.db, context.me.device, after, PAGE);
    const noted = await Promise.all(
      rows.map(async ({ repositoryId, name }) => {
        const record = await readReplicaRecord(replicaPath(context.root, name));
        return record?.repositoryId === repositoryId ? [{ ...record, name }] : [];
      }),
    );
    const records = noted.flat();
    const standings = await readStandings(context.db, records);
    for (const { repositoryId: id, name, version } of records) {
      const found = standings.get(id);
      if (found?.standing !== "ahead" && found?.standing !== "diverged") continue;
      const error = await aheadOfDatabase(context, { id, name }, version, found.head);
      context.log.error({ repository: name, err: error.message }, "the database lost writes of this repository");
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = last.name;
  }
}
