// The repositories of the last pushes.
import type { Database } from "../database/database.ts";
import { queryRepeatable } from "../database/database.ts";

/** A repository of which this device has a replica. */
export interface Pushed {
  readonly id: string;
  readonly name: string;
  readonly objectFormat: "sha1" | "sha256";
}

/** Returns the repositories of the last `pushes` versions of the whole cluster that this device holds. */
export async function pushedLately(db: Database, device: string, pushes: number): Promise<Pushed[]> {
  return await queryRepeatable<Pushed & { [column: string]: unknown }>(
    db.work,
    // `offset 0` keeps PostgreSQL from a join, for which it may read all repositories.
    `with pushed as materialized (
       select distinct l.repository_id from (
         select repository_id from lockstep.ref_log order by position desc limit $2) l)
     select r.id, r.name, r.object_format as "objectFormat" from pushed
     cross join lateral (
       select repository_id, state from lockstep.replica q
       where q.repository_id = pushed.repository_id and q.device = $1 offset 0) p
     cross join lateral (
       select id, name, object_format from lockstep.repository q where q.id = p.repository_id offset 0) r
     where p.state = 'active'`,
    [device, pushes],
  );
}
