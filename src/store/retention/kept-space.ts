// The space that kept rows and files take: what each device has counted on its disk, and the sizes of tables.
import type { Incarnation } from "../../domain.ts";
import { type Database, queryRepeatable } from "../database/database.ts";
import type { SubjectName } from "./subjects.ts";

/** The space that one subject takes. */
export interface KeptSpace {
  readonly subject: SubjectName;
  /** null: rows of the database. */
  readonly device: string | null;
  readonly items: bigint;
  readonly bytes: bigint;
}

/** Records what this device keeps on its disk. */
export async function recordKept(
  db: Database,
  me: Incarnation,
  kept: readonly Omit<KeptSpace, "device">[],
): Promise<void> {
  await queryRepeatable(
    db.work,
    `insert into lockstep.kept_on_disk (device, subject, items, bytes)
     select d.name, k.subject, k.items, k.bytes
     from lockstep.device d, unnest($3::text[], $4::bigint[], $5::bigint[]) k (subject, items, bytes)
     where d.name = $1 and d.fence = $2 order by k.subject
     on conflict (device, subject) do update set items = excluded.items, bytes = excluded.bytes, counted_at = clock_timestamp()`,
    [
      me.device,
      me.fence,
      kept.map(({ subject }) => subject),
      kept.map(({ items }) => items),
      kept.map(({ bytes }) => bytes),
    ],
  );
}

/** Returns what devices keep on their disks, as they last counted it, and the sizes of tables. Rows are estimates. */
export async function listKept(db: Database): Promise<KeptSpace[]> {
  return await queryRepeatable<KeptSpace & { [column: string]: unknown }>(
    db.work,
    `select k.subject, k.device, k.items, k.bytes from lockstep.kept_on_disk k
     join lockstep.device d on d.name = k.device and d.removed_at is null where k.items > 0
     union all
     select t.subject, null, greatest(max(c.reltuples) filter (where c.relname = t.counted), 0)::int8, sum(pg_total_relation_size(c.oid))::int8
     from (values ('log', 'ref_log', 'ref_log'), ('log', 'ref_log', 'ref_log_update'), ('writes', 'write', 'write'),
       ('commands', 'command', 'command'), ('syncs', 'sync_event', 'sync_event'),
       ('pushes', 'push_event', 'push_event'), ('pulls', 'pull_event', 'pull_event'), ('audit', 'audit', 'audit')) t (subject, counted, name)
     join pg_class c on c.relname = t.name and c.relnamespace = 'lockstep'::regnamespace and c.relkind = 'r'
     group by t.subject
     order by 1, 2 nulls first`,
  );
}
