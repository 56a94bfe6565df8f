// Finds the repositories that an operator may want to look at.
import type { Version } from "../../domain.ts";
import { HELD } from "../../replica-states.ts";
import { type Database, queryRepeatable } from "../database/database.ts";

export interface StatusRow {
  readonly repository: string;
  readonly head: Version;
  readonly behind: string[];
  readonly broken: string[];
  readonly leaders: string[];
  /** Fewer than two devices that stay have the head. */
  readonly unsafe: boolean;
  readonly writing: boolean;
  readonly writesStopped: boolean;
  /** Why nobody may use the repository until an operator has decided. null: it may be used. */
  readonly stopped: string | null;
}

/** SQL: the device of a replica shall hold the repository. */
const WANTED = "(d.draining_since is null and (r.placement is null or p.device = any(r.placement)))";

/** SQL columns about the replicas "p" of a repository "r", with their devices "d". */
export const REPLICA_COLUMNS = `coalesce(array_agg(p.device order by p.device) filter (where ${WANTED} and p.state in ('pending', 'active') and (p.version < r.head_version or p.state = 'pending')), '{}') as behind,
         coalesce(array_agg(p.device order by p.device) filter (where ${WANTED} and p.state = 'broken'), '{}') as broken,
         coalesce(array_agg(p.device order by p.device) filter (where p.state = 'active' and p.version >= r.head_version), '{}') as leaders,
         count(*) filter (where ${WANTED} and p.state = 'active' and p.version >= r.head_version) as safe`;

/** SQL columns about the writes to a repository "r". */
export const WRITE_COLUMNS = `exists (select from lockstep.write w where w.repository_id = r.id and w.status = 'staged') as writing,
         exists (select from lockstep.write_stop l where l.repository_id = r.id) as "writesStopped"`;

/** SQL: a row with those columns is not at rest. */
export const NOT_AT_REST = `(behind <> '{}' or broken <> '{}' or safe < 2 or writing or "writesStopped" or stopped is not null)`;

/**
 * Returns at most `limit` repositories that are not at rest, by name. Each of these counts.
 * - A replica is behind or broken.
 * - Fewer than two devices have the head.
 * - A write is under way.
 * - Its own writes are stopped, not only all writes.
 * - All its use is stopped.
 *
 * Only replicas on devices that shall hold the repository count. So none counts on a device that drains or was removed.
 */
export async function listStatus(db: Database, limit: number): Promise<StatusRow[]> {
  return await queryRepeatable<StatusRow & { [column: string]: unknown }>(
    db.work,
    `select repository, head, behind, broken, leaders, writing, "writesStopped", stopped, safe < 2 as unsafe from (
       select r.name as repository, r.head_version as head, r.stopped,
         ${REPLICA_COLUMNS},
         ${WRITE_COLUMNS}
       from lockstep.repository r left join (
         lockstep.replica p join lockstep.device d on d.name = p.device and d.removed_at is null
       ) on p.repository_id = r.id and p.state in ${HELD}
       where r.removed_at is null group by r.id) s
     where ${NOT_AT_REST}
     order by repository limit $1`,
    [limit],
  );
}
