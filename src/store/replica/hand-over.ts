// The question of a sidecar that is about to end.
import { type Database, queryRepeatable } from "../database/database.ts";

/**
 * Returns the names of repositories, among those given, whose head this device alone would take away. Another live
 * device has a replica of each, but none of these replicas is at the head.
 */
export async function listHeldAlone(db: Database, device: string, repositoryIds: readonly string[]): Promise<string[]> {
  const rows = await queryRepeatable<{ name: string }>(
    db.work,
    `select r.name from lockstep.repository r
       join lockstep.replica p on p.repository_id = r.id and p.device <> $1 and p.state in ('pending', 'active')
       join lockstep.device d on d.name = p.device and d.expires_at > clock_timestamp()
     where r.id = any($2::uuid[]) and r.removed_at is null
     group by r.id having not bool_or(p.state = 'active' and p.version >= r.head_version) order by r.name`,
    [device, repositoryIds],
  );
  return rows.map(({ name }) => name);
}
