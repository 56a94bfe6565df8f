// The ref log for people.
import { nameFromBytes, type RefName, type RefValue, type Version, valueFromBytes } from "../domain.ts";
import { type Database, queryRepeatable } from "./database/database.ts";
import { epochMs } from "./database/instant.ts";

export interface LogEntry {
  readonly version: Version;
  readonly writeId: string;
  readonly device: string;
  readonly author: string;
  readonly landedAt: Date;
  readonly updates: { name: RefName; oldValue: RefValue | null; newValue: RefValue | null }[];
  /** How many updates of the entry are not listed. */
  readonly more: number;
}

/**
 * Returns the newest `limit` entries below version `before` (null: from the head), newest first, each with at most 100
 * updates.
 */
export async function readLog(
  db: Database,
  repositoryId: string,
  before: Version | null,
  limit: number,
): Promise<LogEntry[]> {
  const rows = await queryRepeatable<{
    version: bigint;
    write_id: string;
    device: string;
    author: string;
    landed_at: bigint;
    total: bigint;
    names: Buffer[] | null;
    old_values: (Buffer | null)[] | null;
    new_values: (Buffer | null)[] | null;
  }>(
    db.work,
    `select l.version, l.write_id, l.device, l.author, ${epochMs("l.landed_at")} as landed_at, u.*,
       (select count(*) from lockstep.ref_log_update t where t.repository_id = l.repository_id and t.version = l.version) as total
     from lockstep.ref_log l
     cross join lateral (
       select array_agg(s.name) as names, array_agg(s.old_value) as old_values, array_agg(s.new_value) as new_values
       from (select * from lockstep.ref_log_update u
         where u.repository_id = l.repository_id and u.version = l.version order by u.name limit 100) s) u
     where l.repository_id = $1 and ($2::bigint is null or l.version < $2) order by l.version desc limit $3`,
    [repositoryId, before, limit],
  );
  return rows.map((row) => {
    const updates = (row.names ?? []).map((name, index) => ({
      name: nameFromBytes(name),
      oldValue: valueFromBytes(row.old_values?.[index] ?? null),
      newValue: valueFromBytes(row.new_values?.[index] ?? null),
    }));
    return {
      version: row.version,
      writeId: row.write_id,
      device: row.device,
      author: row.author,
      landedAt: new Date(Number(row.landed_at)),
      updates,
      more: Number(row.total) - updates.length,
    };
  });
}
