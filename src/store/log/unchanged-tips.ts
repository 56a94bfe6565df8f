// Finds branch tips that a replica surely has, for the source of a pack.
import { type RefValue, type Version, valueFromBytes } from "../../domain.ts";
import { type Database, queryRepeatable } from "../database/database.ts";

/** If more refs than this were updated since, the search for those that were not is not worth its cost. */
const TOUCHED_LIMIT = 2_000;
/** How many tips are named to a source of objects. Each costs the source a little. */
export const TIPS_OFFERED = 256;
/** Among how many branches the tips are looked for. */
const TIPS_LOOKED_AT = 1_000;
const BRANCHES: readonly [from: Buffer, to: Buffer] = [Buffer.from("refs/heads/"), Buffer.from("refs/heads0")];

/**
 * Returns at most `limit` branch tips that have not changed since `since`. A replica at that version has these objects.
 * Returns none if the log has been trimmed since. If the changes only create refs, the source can leave these objects
 * out of its pack.
 */
export async function readUnchangedTips(
  db: Database,
  repositoryId: string,
  since: Version,
  limit: number,
): Promise<RefValue[]> {
  const rows = await queryRepeatable<{ value: Buffer }>(
    db.work,
    // Both sides are limited, so that every plan is quick enough: a follower may be hundreds of thousands of updates
    // behind.
    `with touched as materialized (
       select u.name from lockstep.ref_log_update u where u.repository_id = $1 and u.version > $2 limit $4),
     tip as materialized (
       select f.name, f.value from lockstep.repository_ref f where f.repository_id = $1 and f.name >= $5 and f.name < $6 limit $7)
     select t.value from tip t
     where (select count(*) from touched) < $4
       and exists (select from lockstep.repository r where r.id = $1 and r.log_base <= $2) and not exists (select from touched u where u.name = t.name) limit $3`,
    [repositoryId, since, limit, TOUCHED_LIMIT, ...BRANCHES, TIPS_LOOKED_AT],
  );
  return rows.map((row) => valueFromBytes(row.value) as RefValue);
}
