// Finds repositories about which an operator has to decide (sync/operator/thaw.ts).
import { HELD } from "../../replica-states.ts";
import { type Database, queryRepeatable } from "../database/database.ts";
import { dated } from "../database/instant.ts";
import { AWAY_SINCE } from "../device/device-lease.ts";

/**
 * Returns the repositories with versions that only these devices hold or wrote. They are not stopped. In the order of
 * their names.
 */
export async function listDemotable(db: Database, devices: readonly string[]): Promise<string[]> {
  const rows = await queryRepeatable<{ name: string }>(
    db.work,
    `select r.name from lockstep.repository r
       cross join lateral (
         select coalesce(max(p.version) filter (where p.device <> all($1) and p.state = 'active' and d.expires_at > clock_timestamp()), -1) as best,
           coalesce(max(p.version) filter (where p.device = any($1)), -1) as given
         from lockstep.replica p join lockstep.device d on d.name = p.device and d.removed_at is null
         where p.repository_id = r.id and p.state in ${HELD}) held
     where r.removed_at is null and r.stopped is null and best < r.head_version and given >= 0
       and (given > best or exists (
         select from lockstep.ref_log l
         where l.repository_id = r.id and l.version > best and (l.device = any($1) or l.holders && $1)))
     order by r.name`,
    [devices],
  );
  return rows.map(({ name }) => name);
}

/** Returns the repositories of which the database has lost writes and the device has a replica, by name. */
export async function listPromotable(db: Database, device: string): Promise<string[]> {
  const rows = await queryRepeatable<{ name: string }>(
    db.work,
    `select r.name from lockstep.repository r
       join lockstep.replica p on p.repository_id = r.id and p.device = $1 and p.state in ${HELD}
     where r.removed_at is null and r.stopped is not null order by r.name`,
    [device],
  );
  return rows.map(({ name }) => name);
}

export interface AwayWith {
  readonly device: string;
  readonly repository: string;
  readonly awaySince: Date | null;
}

/** Returns a device that is away and has, or may have, something of one of the repositories. Empty: there is none. */
export async function listAwayWith(db: Database, repositories: readonly string[]): Promise<AwayWith[]> {
  const rows = await queryRepeatable(
    db.work,
    `select p.device, r.name as repository, ${AWAY_SINCE} as "awaySince"
     from lockstep.repository r
       join lockstep.replica p on p.repository_id = r.id and p.state in ${HELD} and (p.version > 0 or p.fence > 0)
       join lockstep.device d on d.name = p.device and d.removed_at is null and d.expires_at <= clock_timestamp()
     where r.name = any($1) order by p.device, r.name limit 1`,
    [repositories],
  );
  return rows.map((row) => dated<AwayWith>(row, "awaySince"));
}
