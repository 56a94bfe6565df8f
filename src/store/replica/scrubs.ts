// Scrubs: when all objects of a replica were last read, and what that found.
import type { Incarnation } from "../../domain.ts";
import { type Database, queryOnce, queryRepeatable, queryRepeatableRow } from "../database/database.ts";
import { dated, epochMs } from "../database/instant.ts";

/** What a scrub found. */
export interface ScrubResult {
  /** The number of refs that were not as the log says. */
  readonly differences: number;
  readonly damage: readonly string[];
  /** Why the damage could not be repaired. null: it was repaired, or there was none. */
  readonly failure: string | null;
}

/** Records a scrub of this device's replica that has just ended, unless another incarnation has the device. */
export async function recordScrub(
  db: Database,
  me: Incarnation,
  repositoryId: string,
  result: ScrubResult,
): Promise<void> {
  const clean = result.differences === 0 && result.damage.length === 0 && result.failure === null;
  await queryOnce(
    db.work,
    `with me as (select name from lockstep.device where name = $2 and fence = $3 for key share)
     update lockstep.replica p set scrubbed_at = clock_timestamp(), scrub = $4::jsonb
     from me where p.repository_id = $1 and p.device = me.name`,
    [repositoryId, me.device, me.fence, JSON.stringify({ ...result, clean })],
  );
}

/** How far the scrubs of a device are. */
export interface ScrubPace {
  /** The number of replicas to scrub. Counting them costs a walk over an index. */
  readonly replicas: number;
  /** Seconds since the last scrub of a replica of this device. null: there was none. */
  readonly sinceLast: number | null;
}

/** Returns how far the scrubs of this device are. */
export async function scrubPace(db: Database, device: string): Promise<ScrubPace> {
  return await queryRepeatableRow<ScrubPace & { [column: string]: unknown }>(
    db.work,
    `select (select count(*)::int from lockstep.replica where device = $1 and state = 'active') as replicas,
       (select extract(epoch from clock_timestamp() - scrubbed_at)::float8 from lockstep.replica
        where device = $1 and scrub is not null order by scrubbed_at desc limit 1) as "sinceLast"`,
    [device],
  );
}

export interface ToScrub {
  readonly repositoryId: string;
  readonly name: string;
  /** Seconds since the last scrub, or since the row was made. */
  readonly age: number;
}

/** Returns the replicas of this device whose scrub, or whose making, is longest ago; at most `limit`. */
export async function nextToScrub(db: Database, device: string, limit: number): Promise<ToScrub[]> {
  return await queryRepeatable<ToScrub & { [column: string]: unknown }>(
    db.work,
    // `offset 0` keeps PostgreSQL from a join, for which it may read all repositories.
    `with oldest as materialized (
       select repository_id, scrubbed_at from lockstep.replica
       where device = $1 and state = 'active' order by device, scrubbed_at limit $2)
     select r.id as "repositoryId", r.name, extract(epoch from clock_timestamp() - p.scrubbed_at)::float8 as age
     from oldest p cross join lateral (
       select id, name from lockstep.repository r where r.id = p.repository_id and r.removed_at is null offset 0) r
     order by p.scrubbed_at`,
    [device, limit],
  );
}

/** A scrub that an operator may want to look at. */
export interface ScrubRow {
  readonly repository: string;
  readonly device: string;
  /** When it was. null: the replica has never been scrubbed. */
  readonly at: Date | null;
  readonly scrub: ScrubResult | null;
  /** True: it is longer ago than it should be. */
  readonly overdue: boolean;
}

/**
 * Returns scrubs that found something, and live devices' replicas without a scrub for `overdueDays` (0: none is
 * overdue); at most `limit` of each.
 */
export async function listScrubs(db: Database, overdueDays: number, limit: number): Promise<ScrubRow[]> {
  const rows = await queryRepeatable(
    db.work,
    `with found as (
       select repository_id, device from lockstep.replica
       where scrub ->> 'clean' = 'false' and state in ('active', 'broken') limit $2),
     overdue as (
       select p.repository_id, p.device from lockstep.device d cross join lateral (
         select repository_id, device from lockstep.replica
         where device = d.name and state = 'active' and $1 > 0
           and scrubbed_at < statement_timestamp() - make_interval(secs => $1 * 86400.0)
         order by scrubbed_at limit $2) p
       where d.expires_at > clock_timestamp() limit $2)
     select r.name as repository, p.device, p.scrub, ${epochMs("case when p.scrub is not null then p.scrubbed_at end")} as at,
       exists (select from overdue o where o.repository_id = p.repository_id and o.device = p.device) as overdue
     from (select * from found union select * from overdue) each
     cross join lateral (
       select * from lockstep.replica q where q.repository_id = each.repository_id and q.device = each.device offset 0) p
     cross join lateral (select name from lockstep.repository q where q.id = p.repository_id and q.removed_at is null offset 0) r
     order by r.name, p.device`,
    [overdueDays, limit],
  );
  return rows.map((row) => dated<ScrubRow>(row, "at"));
}
