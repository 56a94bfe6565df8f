// The catch-ups of a repository's replicas, for people. record-replica.ts makes the rows. The database keeps the newest
// hundred of each replica.
import type { Version } from "../../domain.ts";
import { type Database, queryRepeatable } from "../database/database.ts";
import { dated, epochMs } from "../database/instant.ts";

export interface SyncEventRow {
  readonly device: string;
  /** The device that sent the objects. Empty when the catch-up failed. */
  readonly fromDevice: string;
  readonly fromVersion: Version;
  readonly version: Version;
  readonly bytes: bigint;
  readonly refsChanged: number;
  readonly durationMs: number;
  /** null: the catch-up succeeded. */
  readonly error: string | null;
  readonly at: Date;
}

/** Returns the newest `limit` catch-ups of all replicas of a repository, newest first. */
export async function recentSyncs(db: Database, repositoryId: string, limit: number): Promise<SyncEventRow[]> {
  const rows = await queryRepeatable(
    db.work,
    // Reads replica by replica, through the index: a repository may have a million catch-ups.
    `select e.device, e.from_device as "fromDevice", e.from_version as "fromVersion", e.version, e.bytes,
       e.refs_changed as "refsChanged", e.duration_ms as "durationMs", e.error, ${epochMs("e.at")} as at
     from lockstep.replica p cross join lateral (
       select * from lockstep.sync_event s where s.repository_id = p.repository_id and s.device = p.device
       order by s.id desc limit $2) e
     where p.repository_id = $1 order by e.id desc limit $2`,
    [repositoryId, limit],
  );
  return rows.map((row) => dated<SyncEventRow>(row, "at"));
}
