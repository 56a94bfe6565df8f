// Counts replicas, versions and writes of the whole cluster, for the metrics.
import type { ClusterFigures, DeviceFigures } from "../../health/figures.ts";
import { HELD } from "../../replica-states.ts";
import { type Database, queryRepeatableRow } from "../database/database.ts";

/** How many replicas that are behind are looked up in the log. Beyond it `secondsBehind` is a lower bound. */
const LOOKED_UP = 10_000;

/** SQL: how many rows there are, and the age of the oldest one, as `Waiting`. */
function waiting(rows: string, since: string): string {
  return `(select json_build_object('count', count(*), 'oldestSeconds', coalesce(extract(epoch from clock_timestamp() - min(${since})), 0)) from ${rows})`;
}

// The statement joins the replicas with their repositories once, and keeps only those that are no leaders, which are
// few on most days. A repository has as many leaders as it has replicas less those few. So nothing is grouped by
// repository but the primary key of the replicas, which is in that order. With a million replicas this takes 2 s on two
// cores, and other forms of it take up to 6 s.
const STATEMENT = `
  with devices as materialized (
    select name, expires_at > clock_timestamp() as live, draining_since is not null as drains, removed_at is null as known,
      removed_at is null and draining_since is null as stays
    from lockstep.device),
  other as materialized (
    select p.repository_id, p.device, p.version, r.head_version,
      r.removed_at is null and d.stays and p.state in ${HELD} and (r.placement is null or p.device = any(r.placement)) as wanted
    from lockstep.replica p join lockstep.repository r on r.id = p.repository_id join devices d on d.name = p.device
    where p.version < r.head_version or p.state <> 'active' or not d.stays or r.removed_at is not null
      or p.device <> all(r.placement)),
  lacking as (
    select device, sum(head_version - version) as versions from other where wanted and version < head_version group by device),
  late as (
    select o.device, extract(epoch from clock_timestamp() - min(l.landed_at)) as seconds
    from (select * from other where wanted and version < head_version limit ${LOOKED_UP}) o
      cross join lateral (select landed_at from lockstep.ref_log l
        where l.repository_id = o.repository_id and l.version > o.version order by l.version limit 1) l
    group by o.device),
  counted as materialized (select device, state, count(*) as replicas from lockstep.replica group by device, state),
  held as (select device, sum(replicas) as replicas from counted where state in ${HELD} group by device),
  repositories as (
    select count(*) as there, count(*) filter (where stopped is not null) as stopped
    from lockstep.repository where removed_at is null),
  safe as (
    select count(*) as repositories
    from (select repository_id, count(*) as replicas from lockstep.replica group by repository_id) a
      left join (select repository_id, count(*) as replicas from other group by repository_id) o using (repository_id)
    where a.replicas - coalesce(o.replicas, 0) >= (select case when count(*) = 1 then 1 else 2 end from devices where known)),
  deliberate as (
    select count(*) as repositories
    from (select id, head_version, placement from lockstep.repository where removed_at is null and placement is not null
        and (select count(*) from devices m where m.known and m.name = any(placement)) = 1
        and (select count(*) from devices where known) > 1 offset 0) r
      cross join lateral (select from lockstep.replica p join devices d on d.name = p.device
        where p.repository_id = r.id and p.device = any(r.placement) and d.stays and p.state = 'active'
          and p.version >= r.head_version offset 0) leader)
  select
    (select coalesce(json_agg(json_build_object('name', d.name, 'live', d.live, 'drains', d.drains,
       'replicas', coalesce(h.replicas, 0), 'versionsBehind', coalesce(b.versions, 0), 'secondsBehind', greatest(0, coalesce(l.seconds, 0)))
       order by d.name), '[]') from devices d left join held h on h.device = d.name left join lacking b on b.device = d.name
       left join late l on l.device = d.name where d.known) as devices,
    (select json_build_object('there', r.there, 'stopped', r.stopped) from repositories r) as repositories,
    (select s.repositories + o.repositories from safe s, deliberate o)::int4 as safe,
    (select coalesce(json_object_agg(state, replicas), '{}')
       from (select c.state, sum(c.replicas) as replicas from counted c join devices d on d.name = c.device and d.known group by c.state) s) as replicas,
    (select count(*)::int4 from lockstep.replica p where p.scrub ->> 'clean' = 'false' and p.state in ${HELD}) as damaged,
    (select count(*)::int4 from lockstep.write_stop where repository_id is not null) as "writesStopped",
    exists (select from lockstep.write_stop where repository_id is null) as "allWritesStopped",
    ${waiting("lockstep.write where status = 'staged'", "started_at")} as staged,
    ${waiting("lockstep.turn where expires_at > clock_timestamp()", "since")} as turns`;

interface Row extends Omit<ClusterFigures, "repositories" | "headsOnOneDevice" | "stopped"> {
  readonly [column: string]: unknown;
  readonly devices: readonly DeviceFigures[];
  readonly repositories: { readonly there: number; readonly stopped: number };
  /** Repositories whose newest version is on two devices that stay, or on the one that an operator wanted. */
  readonly safe: number;
}

/**
 * Counts everything. The cost grows with the number of replicas: 2 s for a million. So a caller keeps the answer for a
 * time that grows with it.
 */
export async function readClusterFigures(db: Database): Promise<ClusterFigures> {
  const { repositories, safe, ...rest } = await queryRepeatableRow<Row>(db.work, STATEMENT, [], {
    provesNothing: true,
  });
  return {
    ...rest,
    repositories: repositories.there,
    headsOnOneDevice: repositories.there - safe,
    stopped: repositories.stopped,
  };
}
