// Deletes rows that have been kept for long enough. Each statement deletes a small batch and leaves out rows that
// another statement has locked, so any device may run it at any time.
import type { Version } from "../../domain.ts";
import { type Database, queryRepeatable, queryRepeatableRow } from "../database/database.ts";
import type { Keep } from "./subjects.ts";

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

/** Deletes rows of the push log or of the pull log that are so old, and returns how many. */
export async function trimEvents(
  db: Database,
  table: "push_event" | "pull_event",
  days: number,
  limit: number,
): Promise<number> {
  // now() and not clock_timestamp(): an index is searched only for a value that does not change meanwhile.
  const old = `select o.id from lockstep.${table} o where o.at < now() - $1 * interval '1 day'
    order by o.at limit $2 for update skip locked`;
  return await count(db, deletion(table, old), [days, limit]);
}

/** Returns a query for the oldest rows of a table. It finds them by number, because numbers grow with the times. */
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
