// Tells ids of objects that are, or were, values of refs from all other ids. Each question reads more than the one
// before, and is asked only about the ids that are left.
import { type Database, queryRepeatable } from "../database/database.ts";

/** How many of the newest changes are looked at first. A device that follows the log asks for their values. */
const NEWEST = 500;

/** The values of the newest changes of refs. */
const NEWEST_CHANGES = `select distinct value from (
    select u.old_value, u.new_value from lockstep.ref_log_update u where u.repository_id = $1
    order by u.repository_id desc, u.version desc, u.name desc limit $3) u,
  unnest(array[u.old_value, u.new_value]) as value
  where value = any($2::bytea[])`;

/** The refs at the head. A device that makes its first copy asks for all of them, and has read them all too. */
const FOLD = `select distinct f.value from lockstep.repository_ref f
  where f.repository_id = $1 and f.value = any($2::bytea[])`;

/** All changes that the log keeps. An undo asks for old values. */
const ALL_CHANGES = `select distinct value from lockstep.ref_log_update u, unnest(array[u.old_value, u.new_value]) as value
  where u.repository_id = $1 and value = any($2::bytea[])`;

/**
 * Returns those of `ids` that are no value of a ref of the repository: neither at the head nor in any change that the
 * log keeps.
 */
export async function unloggedIds(db: Database, repositoryId: string, ids: readonly string[]): Promise<string[]> {
  const left = new Set(ids);
  for (const [question, ...more] of [[NEWEST_CHANGES, NEWEST + 2 * ids.length], [FOLD], [ALL_CHANGES]] as const) {
    if (left.size === 0) break;
    const values = [repositoryId, [...left].map((id) => Buffer.from(id, "latin1")), ...more];
    for (const { value } of await queryRepeatable<{ value: Buffer }>(db.work, question, values))
      left.delete(value.toString("latin1"));
  }
  return [...left];
}
