// Finds the repositories that an operator may want to look at.
import type { Version } from "../domain.ts";
import { type Database, queryRepeatable } from "./database/database.ts";

export interface StatusRow {
  readonly repository: string;
  readonly head: Version;
  readonly behind: string[];
  readonly broken: string[];
  readonly leaders: string[];
  readonly writing: boolean;
  readonly writesStopped: boolean;
  /** Why nobody may use the repository until an operator has decided. null: it may be used. */
  readonly stopped: string | null;
}

/**
 * Returns at most `limit` repositories that are not at rest, by name. Each of these counts.
 * - A replica is behind or broken.
 * - Fewer than two devices have the head.
 * - A write is under way.
 * - Its own writes are stopped, not only all writes.
 * - All its use is stopped.
 */
export async function listStatus(db: Database, limit: number): Promise<StatusRow[]> {
  return await queryRepeatable<StatusRow & { [column: string]: unknown }>(
    db.work,
    `select * from (
       select r.name as repository, r.head_version as head, r.stopped,
         coalesce(array_agg(p.device order by p.device) filter (where p.state in ('pending', 'active') and (p.version < r.head_version or p.state = 'pending')), '{}') as behind,
         coalesce(array_agg(p.device order by p.device) filter (where p.state = 'broken'), '{}') as broken,
         coalesce(array_agg(p.device order by p.device) filter (where p.state = 'active' and p.version >= r.head_version), '{}') as leaders,
         exists (select from lockstep.write w where w.repository_id = r.id and w.status = 'staged') as writing,
         exists (select from lockstep.write_stop l where l.repository_id = r.id) as "writesStopped"
       from lockstep.repository r left join lockstep.replica p on p.repository_id = r.id group by r.id) s
     where behind <> '{}' or broken <> '{}' or cardinality(leaders) < 2 or writing or "writesStopped" or stopped is not null
     order by repository limit $1`,
    [limit],
  );
}
