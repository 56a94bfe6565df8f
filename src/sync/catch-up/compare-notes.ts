// What is noted beside the replicas is compared with the database, for all of them: at start, and when the database may be another one
// than before. Either may have gone back in time: the database (a fail-over, a backup), or the disk (a copy, an empty one).
import type { Version } from "../../domain.ts";
import { readReplicaRecord } from "../../git/root/root-record.ts";
import { readStandings } from "../../store/log-standing.ts";
import { reviseVersions } from "../../store/record-replica.ts";
import { listReplicasAfter, type NotedReplica } from "../../store/replicas.ts";
import type { SyncContext } from "../device/context.ts";
import { replicaPath } from "../device/replica.ts";
import { assertRoot } from "../device/root.ts";
import { stopAheadOfDatabase } from "../replica/ahead-of-database.ts";
import { putInDoubt } from "../replica/apply.ts";
import { noteOf } from "../replica/prepare-directory.ts";

/** Replicas that are compared in one statement. */
const PAGE = 500;

interface Noted extends NotedReplica {
  /** What the disk says it holds; undefined: nothing. */
  readonly record: { version: Version; digest: string } | undefined;
}

/**
 * Stops repositories of which the database has lost writes; of replicas that have less than the database says nobody is to think so.
 * Reads a small file for each replica. Throws DATABASE_UNAVAILABLE.
 */
export async function compareNotes(context: SyncContext): Promise<void> {
  for (let after = ""; !context.signal.aborted; ) {
    const rows = await listReplicasAfter(context.db, context.me.device, after, PAGE);
    // After the rows: a note is written before its row.
    const noted = await Promise.all(rows.map((row) => note(context, row)));
    // Where the root is not there, no replica has a note.
    await assertRoot(context);
    await stopWhatIsAhead(context, noted);
    await mistrustWhatIsBehind(context, noted);
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = last.name;
  }
}

async function note({ root }: SyncContext, row: NotedReplica): Promise<Noted> {
  const record = await readReplicaRecord(replicaPath(root, row.name));
  return { ...row, record: record?.repositoryId === row.repositoryId ? record : undefined };
}

async function stopWhatIsAhead(context: SyncContext, noted: readonly Noted[]): Promise<void> {
  const held = noted.flatMap(({ repositoryId, record }) => (record ? [{ repositoryId, ...record }] : []));
  const standings = await readStandings(context.db, held);
  for (const { repositoryId: id, name, record } of noted) {
    const found = standings.get(id);
    if (!record || (found?.standing !== "ahead" && found?.standing !== "diverged")) continue;
    const error = await stopAheadOfDatabase(context, { id, name }, record, found.head);
    context.log.error({ repository: name, err: error.message }, "the database lost writes of this repository");
  }
}

/** The follower finds them then, and nobody takes this device for a source of what it no longer has. */
async function mistrustWhatIsBehind(context: SyncContext, noted: readonly Noted[]): Promise<void> {
  let less = 0;
  for (const row of noted.filter(({ version, record }) => version > (record?.version ?? 0n))) {
    const replica = context.replicas.find(row.repositoryId) ?? context.replicas.get({ ...row, id: row.repositoryId });
    await replica.mutex.runExclusive(async () => {
      // Somebody may have compared it with the log meanwhile: then it holds what is recorded, and has a note that says so.
      const version = (await noteOf(replica))?.version ?? 0n;
      if (version >= row.version) return;
      await assertRoot(context);
      // A copy need not be of one moment, so its note is not believed either.
      await putInDoubt(replica);
      await reviseVersions(context.db, context.me, [{ repositoryId: replica.id, version }]);
      replica.recorded = version;
      less += 1;
    });
  }
  if (less === 0) return;
  context.log.warn({ replicas: less }, "this disk has less than the database says: an older copy, or another disk");
}
