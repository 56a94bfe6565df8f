// Finds branch tips that a replica surely has, for the source of a pack.
import { type RefValue, type Version, valueFromBytes } from "../../domain.ts";
import { type Database, queryRepeatable } from "../database/database.ts";

/** If more refs than this were updated since, the search for those that were not is not worth its cost. */
const TOUCHED_LIMIT = 2_000;
/** How many tips are named to a source of objects. Each costs the source a little. */
export const TIPS_OFFERED = 256;
/** Among how many branches the tips are looked for. */
const TIPS_LOOKED_AT = 1_000;
const BRANCHES = ["refs/heads/", "refs/heads0"].map((name) => `decode('${Buffer.from(name).toString("hex")}', 'hex')`);

/**
 * Returns SQL for the values of at most `limit` branch tips of the repository `r` that have not changed since the
 * version $2: a document for `tipsOf`.
 */
export function unchangedTips(limit: string): string {
  // Both sides are limited, so that every plan is quick enough: a follower may be hundreds of thousands of updates
  // behind.
  return `(with touched as materialized (
       select u.name from lockstep.ref_log_update u where u.repository_id = r.id and u.version > $2 limit ${TOUCHED_LIMIT}),
     tip as materialized (
       select f.name, f.value from lockstep.repository_ref f
       where f.repository_id = r.id and f.name >= ${BRANCHES[0]} and f.name < ${BRANCHES[1]} limit ${TIPS_LOOKED_AT})
     select json_agg(encode(offered.value, 'hex')) from (
       select t.value from tip t
       where (select count(*) from touched) < ${TOUCHED_LIMIT} and r.log_base <= $2
         and not exists (select from touched u where u.name = t.name) limit ${limit}) offered)`;
}

/** Returns the values of a document of `unchangedTips`. */
export function tipsOf(document: readonly string[] | null): RefValue[] {
  return (document ?? []).map((value) => valueFromBytes(Buffer.from(value, "hex")) as RefValue);
}

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
  const [row] = await queryRepeatable<{ tips: readonly string[] | null }>(
    db.work,
    `select ${unchangedTips("$3")} as tips from lockstep.repository r where r.id = $1`,
    [repositoryId, since, limit],
  );
  return tipsOf(row?.tips ?? null);
}
