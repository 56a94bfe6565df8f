// Compares the notes beside all replicas with the database, at start and when the database may be another one than
// before. Either may have gone back in time: the database (a fail-over, a backup), or the disk (an older copy, an empty
// disk).
import { wasReplica } from "../../git/replica/repository.ts";
import { isDoubted, type ReplicaRecord, readReplicaRecord } from "../../git/root/root-record.ts";
import { readStandings } from "../../store/log/log-standing.ts";
import { listReplicasAfter, type NotedReplica } from "../../store/replica/replicas.ts";
import type { SyncContext } from "../device/context.ts";
import { replicaPath } from "../device/replica.ts";
import { assertRoot } from "../place/assert-root.ts";
import { takePlace } from "../place/follow-name.ts";
import { stopAheadOfDatabase } from "../replica/ahead-of-database.ts";
import { putInDoubt, recordLess } from "../replica/apply.ts";
import { noteOf } from "../replica/prepare-directory.ts";

/** How many replicas are compared in one statement. */
const PAGE = 500;

interface Noted extends NotedReplica {
  /** The note beside the replica. undefined: there is none. */
  readonly record: ReplicaRecord | undefined;
}

/**
 * Stops repositories of which the database has lost writes. Lowers the recorded version of replicas that hold less than
 * the database says. Reads a small file for each replica. Returns the repositories whose replica is in doubt since the
 * last incarnation: a crash may have interrupted a write. Throws DATABASE_UNAVAILABLE, ROOT_GONE.
 */
export async function compareNotes(context: SyncContext): Promise<string[]> {
  const doubted: string[] = [];
  for (let after = ""; !context.signal.aborted; ) {
    const rows = await listReplicasAfter(context.db, context.me.device, after, PAGE);
    // Notes are read after the rows, because a note is written before its row.
    const noted = await Promise.all(rows.map((row) => note(context, row)));
    // If the root is not there, no replica has a note.
    await assertRoot(context);
    await stopWhatIsAhead(context, noted);
    await mistrustWhatIsBehind(context, noted);
    for (const { repositoryId, record } of noted)
      if (record && isDoubted(record) && context.replicas.find(repositoryId)?.applied === undefined)
        doubted.push(repositoryId);
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) break;
    after = last.name;
  }
  return doubted;
}

async function note({ root, replicas }: SyncContext, row: NotedReplica): Promise<Noted> {
  // The repository may have been renamed a moment ago.
  const known = replicas.find(row.repositoryId);
  const record = await readReplicaRecord(known?.gitDir ?? replicaPath(root, row.name));
  return { ...row, record: record?.repositoryId === row.repositoryId ? record : undefined };
}

async function stopWhatIsAhead(context: SyncContext, noted: readonly Noted[]): Promise<void> {
  const held = noted.flatMap(({ record }) => record ?? []);
  const standings = await readStandings(context.db, held);
  for (const { repositoryId: id, name, record } of noted) {
    const found = standings.get(id);
    if (!record || (found?.standing !== "ahead" && found?.standing !== "diverged")) continue;
    const error = await stopAheadOfDatabase(context, { id, name }, record, found.head);
    context.log.error({ repository: name, err: error.message }, "the database lost writes of this repository");
  }
}

/**
 * Puts replicas in doubt that hold less than was recorded. The follower finds them then, and no device takes this one
 * for a source of versions that it no longer has.
 */
async function mistrustWhatIsBehind(context: SyncContext, noted: readonly Noted[]): Promise<void> {
  let less = 0;
  for (const row of noted.filter(({ version, record }) => version > (record?.version ?? 0n))) {
    const replica = context.replicas.find(row.repositoryId) ?? context.replicas.get({ ...row, id: row.repositoryId });
    await replica.mutex.runExclusive(async () => {
      if (!(await wasReplica(replica.gitDir, replica.id))) await takePlace(context, replica);
      // The replica may have been compared with the log meanwhile. Then it holds the recorded version, and its note
      // says so.
      const version = (await noteOf(replica))?.version ?? 0n;
      if (version >= row.version) return;
      await assertRoot(context);
      // A copied disk need not be of one moment, so its note does not count either.
      await putInDoubt(replica);
      await recordLess(context, replica, version);
      less += 1;
    });
  }
  if (less === 0) return;
  context.log.warn({ replicas: less }, "this disk has less than the database says: an older copy, or another disk");
}
