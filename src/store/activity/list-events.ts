// The push log, the pull log and the sync log, for operators. Newest first.
import type pg from "pg";
import type { PullEvent, PushEvent } from "../../activity/activity.ts";
import { type Database, queryRepeatable } from "../database/database.ts";
import { dated, epochMs } from "../database/instant.ts";

/** Which rows are wanted. null: any. */
export interface EventFilter {
  readonly repository: string | null;
  readonly device: string | null;
  readonly since: Date | null;
  /** Only rows before this time. */
  readonly until: Date | null;
  readonly author: string | null;
  readonly result: string | null;
  /** Only pushes of this ref: its full name, or that of a branch or a tag. */
  readonly ref: string | null;
  readonly limit: number;
}

interface EventRow {
  readonly at: Date;
  readonly device: string;
  readonly repository: string;
  readonly author: string;
  readonly address: string | null;
  readonly way: string;
  readonly requestId: string | null;
  readonly result: string;
  readonly version: bigint | null;
  readonly code: string | null;
  readonly reason: string | null;
  readonly durationMs: number;
}

export interface PushRow extends EventRow, Pick<PushEvent, "refs" | "refsTotal"> {
  readonly hostMs: number;
  readonly databaseMs: number;
  readonly copiesMs: number;
  readonly writersMs: number;
  readonly readsMs: number;
  readonly hooksMs: number;
}

export interface PullRow extends EventRow, Pick<PullEvent, "what" | "waitMs"> {
  readonly standsFor: number;
}

export interface SyncRow {
  readonly at: Date;
  readonly device: string;
  readonly repository: string;
  readonly fromDevice: string;
  readonly fromVersion: bigint;
  readonly version: bigint;
  readonly bytes: bigint;
  readonly refsChanged: number;
  readonly durationMs: number;
  readonly result: "ok" | "failed";
  readonly error: string | null;
  readonly said: string | null;
}

/**
 * Finds rows by the repository, under all its names. If the name has no repository, finds the rows that were noted
 * under it.
 */
const SUBJECT = "coalesce((select r.id::text from lockstep.repository r where r.name = $1), $1)";
const DAY = "'epoch'::timestamptz";
const MATCHES = `($1::text is null or e.subject = ${SUBJECT}) and ($2::text is null or e.device = $2)
  and ($3::int8 is null or e.at >= ${DAY} + $3::int8 * interval '1 millisecond')
  and ($4::int8 is null or e.at < ${DAY} + $4::int8 * interval '1 millisecond')
  and ($5::text is null or e.author = $5) and ($6::text is null or e.result = $6)`;
const COLUMNS = `${epochMs("e.at")} as at, e.device, e.repository, e.author, e.address, e.way, e.request_id as "requestId", e.result,
  e.version, e.code, e.reason, e.duration_ms as "durationMs"`;

function valuesOf({ repository, device, since, until, author, result }: EventFilter): unknown[] {
  return [repository, device, since?.getTime() ?? null, until?.getTime() ?? null, author, result];
}

/** Returns pushes and sessions. */
export async function listPushes(db: Database, filter: EventFilter): Promise<PushRow[]> {
  const rows = await queryRepeatable(
    db.work,
    `select ${COLUMNS}, e.refs, e.refs_total as "refsTotal", e.host_ms as "hostMs", e.database_ms as "databaseMs",
       e.copies_ms as "copiesMs", e.writers_ms as "writersMs", e.reads_ms as "readsMs", e.hooks_ms as "hooksMs"
     from lockstep.push_event e
     where ${MATCHES} and ($7::text is null or exists (
       select from jsonb_array_elements(e.refs) u
       where u ->> 0 in ($7, 'refs/' || $7, 'refs/heads/' || $7, 'refs/tags/' || $7)))
     order by e.at desc, e.id desc limit $8`,
    [...valuesOf(filter), filter.ref, filter.limit],
  );
  return rows.map((row) => dated<PushRow>(row, "at"));
}

/** Returns reads. */
export async function listPulls(db: Database, filter: EventFilter): Promise<PullRow[]> {
  const rows = await queryRepeatable(
    db.work,
    `select ${COLUMNS}, e.what, e.wait_ms as "waitMs", e.stands_for as "standsFor" from lockstep.pull_event e
     where ${MATCHES} order by e.at desc, e.id desc limit $7`,
    [...valuesOf(filter), filter.limit],
  );
  return rows.map((row) => dated<PullRow>(row, "at"));
}

/** Returns catch-ups. Those of one repository are read replica by replica, through the index. */
export async function listSyncs(db: Database, filter: EventFilter): Promise<SyncRow[]> {
  const { repository, device, since, until, result, limit } = filter;
  const matches = `($1::text is null or s.device = $1)
    and ($2::int8 is null or s.at >= ${DAY} + $2::int8 * interval '1 millisecond')
    and ($3::int8 is null or s.at < ${DAY} + $3::int8 * interval '1 millisecond') and ($4::text is null or s.result = $4)`;
  const columns = `s.id, ${epochMs("s.at")} as at, s.device, coalesce(r.removed_name, r.name) as repository, s.from_device as "fromDevice",
    s.from_version as "fromVersion", s.version, s.bytes, s.refs_changed as "refsChanged", s.duration_ms as "durationMs",
    s.result, s.error, s.said`;
  const values = [device, since?.getTime() ?? null, until?.getTime() ?? null, result, limit];
  const rows = await queryRepeatable<pg.QueryResultRow>(
    db.work,
    repository === null
      ? `select ${columns} from lockstep.sync_event s join lockstep.repository r on r.id = s.repository_id
         where ${matches} order by s.id desc limit $5`
      : `select o.* from lockstep.repository r join lockstep.replica p on p.repository_id = r.id
         cross join lateral (
           select ${columns} from lockstep.sync_event s
           where s.repository_id = p.repository_id and s.device = p.device and ${matches} order by s.id desc limit $5) o
         where r.name = $6 order by o.id desc limit $5`,
    repository === null ? values : [...values, repository],
  );
  return rows.map(({ id: _, ...row }) => dated<SyncRow>(row, "at"));
}
