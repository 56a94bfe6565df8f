// Finds writes with their outcome: by id, all staged ones, the one that has the turn.
import type { Version, WriteStatus } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { type Database, queryRepeatable } from "../database/database.ts";
import { dated, epochMs } from "../database/instant.ts";

export interface Write {
  readonly id: string;
  readonly repositoryId: string;
  /**
   * The ticket of the write in the queue for the repository's turn. Without a ticket of its own: the id of the write.
   */
  readonly ticket: string;
  readonly repository: string;
  readonly device: string;
  readonly author: string;
  readonly reason: string;
  readonly baseVersion: Version;
  readonly status: WriteStatus;
  readonly version: Version | null;
  readonly dropReason: string | null;
  readonly startedAt: Date;
  readonly decidedAt: Date | null;
}

const SELECT_WRITE = `select w.id, w.repository_id as "repositoryId", coalesce(w.ticket, w.id) as ticket, coalesce(r.removed_name, r.name) as repository, w.device, w.author, w.reason,
  w.base_version as "baseVersion", w.status, w.version, w.drop_reason as "dropReason", ${epochMs("w.started_at")} as "startedAt", ${epochMs("w.decided_at")} as "decidedAt"
  from lockstep.write w join lockstep.repository r on r.id = w.repository_id`;

/** The repository is called $2, or was before it was renamed or removed. */
export const NAMED =
  "(r.name = $2 or r.removed_name = $2 or exists (select from lockstep.former_name f where f.name = $2 and f.repository_id = r.id))";

/** Returns a write with its outcome. Throws WRITE_NOT_FOUND. */
export async function getWrite(db: Database, repository: string, writeId: string): Promise<Write> {
  // The lock makes the commit of this statement wait for the standby. So nobody is told an outcome that the standby
  // does not have yet.
  const text = `${SELECT_WRITE} where w.id = $1 and ${NAMED} for key share of w`;
  const [row] = await queryRepeatable(db.work, text, [writeId, repository]);
  if (row !== undefined) return dated<Write>(row, "startedAt", "decidedAt");
  throw new LockstepError(
    "WRITE_NOT_FOUND",
    `Repository ${repository} has no write ${writeId}; it was never staged, or its outcome is no longer kept.`,
  );
}

/**
 * Returns the staged writes of those repositories (null: of all), oldest first. `live`: the sidecar of the write may
 * still decide it. A device that is down or has been taken over cannot decide its writes.
 */
export async function listStaged(
  db: Database,
  repositoryIds: readonly string[] | null,
): Promise<(Write & { live: boolean })[]> {
  const rows = await queryRepeatable(
    db.work,
    `select s.*, exists (select from lockstep.write w join lockstep.device d on d.name = w.device and d.fence = w.fence
       where w.id = s.id and d.expires_at > clock_timestamp()) as live
     from (${SELECT_WRITE} where w.status = 'staged' and ($1::uuid[] is null or w.repository_id = any($1))) s
     order by s."startedAt"`,
    [repositoryIds],
  );
  return rows.map((row) => dated<Write & { live: boolean }>(row, "startedAt", "decidedAt"));
}

/** Returns the write that has the turn of the repository, else the oldest staged one, else null. */
export async function currentWriter(db: Database, repositoryId: string): Promise<Write | null> {
  const [row] = await queryRepeatable(
    db.work,
    `${SELECT_WRITE} where w.repository_id = $1 and w.status = 'staged'
     order by (coalesce(w.ticket, w.id) = (select t.write_id from lockstep.turn t where t.repository_id = $1
       and t.expires_at > clock_timestamp() order by t.ticket limit 1)) desc nulls last, w.started_at limit 1`,
    [repositoryId],
  );
  return row === undefined ? null : dated<Write>(row, "startedAt", "decidedAt");
}
