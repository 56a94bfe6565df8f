// The ref log for people.
import type pg from "pg";
import { nameFromBytes, type RefName, type RefValue, type Version, valueFromBytes } from "../../domain.ts";
import { type Database, queryRepeatable } from "../database/database.ts";
import { epochMs } from "../database/instant.ts";

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

/** A row with ENTRY_COLUMNS. */
export interface EntryRow extends pg.QueryResultRow {
  readonly version: bigint;
  readonly write_id: string;
  readonly device: string;
  readonly author: string;
  readonly landed_at: bigint;
  readonly updates: [name: string, oldValue: string | null, newValue: string | null][] | null;
  readonly total: bigint;
}

/** SQL columns of an entry "l" of the log, with at most 100 updates. */
export const ENTRY_COLUMNS = `l.version, l.write_id, l.device, l.author, ${epochMs("l.landed_at")} as landed_at,
  (select count(*) from lockstep.ref_log_update t where t.repository_id = l.repository_id and t.version = l.version) as total,
  (select json_agg(json_build_array(encode(s.name, 'hex'), encode(s.old_value, 'hex'), encode(s.new_value, 'hex')) order by s.name)
   from (select * from lockstep.ref_log_update u
     where u.repository_id = l.repository_id and u.version = l.version order by u.name limit 100) s) as updates`;

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
  const rows = await queryRepeatable<EntryRow>(
    db.work,
    `select ${ENTRY_COLUMNS} from lockstep.ref_log l
     where l.repository_id = $1 and ($2::bigint is null or l.version < $2) order by l.version desc limit $3`,
    [repositoryId, before, limit],
  );
  return rows.map(entryOf);
}

/**
 * Returns who has versions after `since`. next: the devices that had the objects of the next version when it landed;
 * none: the log does not have it. built: the devices that wrote one of them on the version before it, so that they have
 * all up to it.
 */
export async function readWriters(
  db: Database,
  repositoryId: string,
  since: Version,
): Promise<{ next: string[]; built: string[] }> {
  const [row] = await queryRepeatable<{ next: string[] | null; built: string[] }>(
    db.work,
    `select (select l.holders || l.device from lockstep.ref_log l where l.repository_id = $1 and l.version = $2 + 1) as next,
       array(select distinct l.device from lockstep.ref_log l left join lockstep.write w on w.id = l.write_id
         where l.repository_id = $1 and l.version > $2 and coalesce(w.base_version = l.version - 1, true)) as built`,
    [repositoryId, since],
  );
  return { next: row?.next ?? [], built: row?.built ?? [] };
}

/** Returns the entry of a row. */
export function entryOf({ version, write_id: writeId, device, author, landed_at, updates, total }: EntryRow): LogEntry {
  const bytes = (hex: string | null) => (hex === null ? null : Buffer.from(hex, "hex"));
  const listed = (updates ?? []).map(([name, oldValue, newValue]) => ({
    name: nameFromBytes(Buffer.from(name, "hex")),
    oldValue: valueFromBytes(bytes(oldValue)),
    newValue: valueFromBytes(bytes(newValue)),
  }));
  const more = Number(total) - listed.length;
  return { version, writeId, device, author, landedAt: new Date(Number(landed_at)), updates: listed, more };
}
