// Deletes rows that have been kept for long enough. Each statement deletes a small batch and leaves out rows that
// another statement has locked, so any device may run it at any time.
import type { Incarnation, Version } from "../../domain.ts";
import type { Keep, SubjectName } from "../../retention.ts";
import { type Database, queryRepeatable, queryRepeatableRow } from "../database/database.ts";

/** A repository whose log may have rows to delete. */
export interface Claim {
  readonly repositoryId: string;
  /** The rows up to this version may be deleted. */
  readonly base: Version;
  /** True: the base may move further. */
  readonly more: boolean;
}

/**
 * Takes one repository whose log is due for a look, or the given one, and moves the base of its log by at most `step`
 * versions. undefined: none is due, or it is locked just now.
 */
export async function claimTrim(
  db: Database,
  only: string | null,
  keep: Keep,
  step: number,
): Promise<Claim | undefined> {
  const [row] = await queryRepeatable<{ repository_id: string | null; base: bigint; more: boolean }>(
    db.work,
    "select * from lockstep.claim_trim($1, $2, $3, $4)",
    [only, keep.versions ?? 1n, keep.days, step],
  );
  if (!row?.repository_id) return undefined;
  return { repositoryId: row.repository_id, base: row.base, more: row.more };
}

/** Deletes at most `limit` versions up to the base of a repository's log, and returns how many. */
export async function trimLog(db: Database, repositoryId: string, limit: number): Promise<number> {
  return await count(db, "select lockstep.trim_log($1, $2) as deleted", [repositoryId, limit]);
}

/** Deletes writes that were decided so long ago, and returns how many. */
export async function trimWrites(db: Database, days: number, limit: number): Promise<number> {
  return await count(db, "select lockstep.trim_writes($1, $2) as deleted", [days, limit]);
}

/** Deletes commands that ended so long ago, and returns how many. */
export async function trimCommands(db: Database, days: number, limit: number): Promise<number> {
  const ended = `select c.id from lockstep.command c where c.state in ('done', 'failed', 'superseded')
    and c.ended_at < now() - $1 * interval '1 day' order by c.ended_at limit $2 for update skip locked`;
  return await count(db, deletion("command", ended), [days, limit]);
}

/** Deletes acts of operators that are so old, and returns how many. */
export async function trimAudit(db: Database, days: number, limit: number): Promise<number> {
  return await count(db, "select lockstep.trim_audit($1, $2) as deleted", [days, limit]);
}

/** Deletes former names that lead nowhere any more, and returns how many. */
export async function trimFormerNames(db: Database, limit: number): Promise<number> {
  const text = `with gone as (
      delete from lockstep.former_name t where t.name = any(array(
        select o.name from lockstep.former_name o where o.until <= now() order by o.name limit $1 for update skip locked))
      returning 1)
    select count(*)::int as deleted from gone`;
  return await count(db, text, [limit]);
}

/** Deletes catch-ups that are so old, and returns how many. */
export async function trimSyncs(db: Database, days: number, limit: number): Promise<number> {
  return await count(db, deletion("sync_event", oldestOf("sync_event")), [days, limit]);
}

/** The rows have numbers in the order of their times, so the oldest are found by number. */
function oldestOf(table: string): string {
  return `select o.id from (select id, at from lockstep.${table} order by id limit $2 for update skip locked) o
    where o.at < clock_timestamp() - $1 * interval '1 day'`;
}

function deletion(table: string, ids: string): string {
  return `with gone as (delete from lockstep.${table} t where t.id = any(array(${ids})) returning 1)
    select count(*)::int as deleted from gone`;
}

async function count(db: Database, text: string, values: readonly unknown[]): Promise<number> {
  return (await queryRepeatableRow<{ deleted: number }>(db.work, text, values)).deleted;
}

/** Returns the times that operators have set, by subject, as they wrote them. */
export async function readKeeps(db: Database): Promise<Map<string, string>> {
  const rows = await queryRepeatable<{ name: string; keep: string }>(
    db.work,
    "select name, value #>> '{}' as keep from lockstep.setting where name like 'keep.%'",
  );
  return new Map(rows.map(({ name, keep }) => [name.slice("keep.".length), keep]));
}

/** Sets for how long a subject is kept; null: for its default. The author is in the audit. */
export async function setKeep(db: Database, subject: SubjectName, keep: string | null, author: string): Promise<void> {
  await queryRepeatable(
    db.work,
    `with gone as (delete from lockstep.setting where name = 'keep.' || $1 and $2::text is null),
     made as (
       insert into lockstep.setting (name, value, author) select 'keep.' || $1, to_jsonb($2::text), $3 where $2::text is not null
       on conflict (name) do update set value = excluded.value, author = excluded.author, changed_at = clock_timestamp())
     insert into lockstep.audit (author, action, detail) values ($3, 'set retention', json_build_object('subject', $1::text, 'keep', $2::text))`,
    [subject, keep, author],
  );
}

/** Sets how much of its log a repository keeps; null: as the cluster does. A device looks at it at once. */
export async function setKeepLog(db: Database, repository: string, keep: Keep | null): Promise<void> {
  await queryRepeatable(
    db.work,
    `update lockstep.repository set keep_versions = $2, keep_days = $3, trim_at = clock_timestamp() where name = $1`,
    [repository, keep?.versions ?? null, keep?.days ?? null],
  );
}

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
       ('commands', 'command', 'command'), ('syncs', 'sync_event', 'sync_event'), ('audit', 'audit', 'audit')) t (subject, counted, name)
     join pg_class c on c.relname = t.name and c.relnamespace = 'lockstep'::regnamespace and c.relkind = 'r'
     group by t.subject
     order by 1, 2 nulls first`,
  );
}
