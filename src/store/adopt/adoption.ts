// Adoption: a repository that lies on a disk gets its rows.
import { type Incarnation, type Refs, toBytes, type Version } from "../../domain.ts";
import { type Database, queryOnceRow, queryRepeatable } from "../database/database.ts";

/** See the table `adoption` in migrations/0001_tables.sql. */
export type TakeOver = "same" | "known" | "replace";

export interface AdoptRequest {
  readonly repositoryId: string;
  readonly name: string;
  readonly objectFormat: "sha1" | "sha256";
  readonly digestKey: Buffer;
  /** The version that the refs become. */
  readonly version: Version;
  readonly digest: Buffer;
  readonly refs: Refs;
  readonly writeId: string;
  readonly author: string;
  /** True for a replica that the database has forgotten. */
  readonly settles: boolean;
  /** The other devices that have a directory of that name. */
  readonly others: ReadonlyMap<string, TakeOver>;
}

/**
 * "known": an earlier call has adopted it. "exists": another repository has the name. "elsewhere": the repository of
 * that id has another name. "old_leases": as for a write (store/write/writes.ts).
 */
export type AdoptOutcome = "adopted" | "known" | "exists" | "elsewhere" | "fenced" | "old_leases";

/** For how long a push of plain git may go on after the adoption. */
const LATE_HOURS = 24;

/** Adopts a repository. May be repeated with the same id of the repository. */
export async function adoptRepository(
  db: Database,
  me: Incarnation,
  request: AdoptRequest,
): Promise<{ outcome: AdoptOutcome; version: Version | null }> {
  const { refs, others } = request;
  return await queryOnceRow<{ outcome: AdoptOutcome; version: Version | null }>(
    db.work,
    `select outcome, version from lockstep.adopt($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16::int * interval '1 hour')`,
    [
      request.repositoryId,
      request.name,
      me.device,
      me.fence,
      request.objectFormat,
      request.digestKey,
      request.version,
      request.digest,
      request.writeId,
      request.author,
      [...refs.keys()].map(toBytes),
      [...refs.values()].map(toBytes),
      request.settles,
      [...others.keys()],
      [...others.values()],
      LATE_HOURS,
    ],
    { decides: true },
  );
}

/** A replica of this device that lies on its disk since an adoption. */
export interface AdoptedReplica {
  readonly takesOver: TakeOver | null;
  /** True while a push of plain git that began before the adoption may go on. */
  readonly isLate: boolean;
  /** True for a repository that was adopted, when this device was there already. */
  readonly isAdopted: boolean;
}

/** Returns what is known of the adoption of this device's replica. undefined: there is no such replica. */
export async function readAdoption(
  db: Database,
  device: string,
  repositoryId: string,
): Promise<AdoptedReplica | undefined> {
  const [row] = await queryRepeatable<AdoptedReplica & { [column: string]: unknown }>(
    db.work,
    `select a.takes_over as "takesOver", coalesce(a.late_until > clock_timestamp(), false) as "isLate", a.repository_id is not null as "isAdopted"
     from lockstep.replica p left join lockstep.adoption a on a.repository_id = p.repository_id and a.device = p.device
     where p.repository_id = $1 and p.device = $2 and p.state in ('pending', 'active', 'broken')`,
    [repositoryId, device],
  );
  return row;
}

/** Notes that pushes of plain git may still change the files of this device's replica. */
export async function noteLate(db: Database, me: Incarnation, repositoryId: string): Promise<void> {
  await queryRepeatable(
    db.work,
    `update lockstep.adoption a set late_until = clock_timestamp() + $4::int * interval '1 hour' from lockstep.device d
     where d.name = $1 and d.fence = $2 and a.device = d.name and a.repository_id = $3`,
    [me.device, me.fence, repositoryId, LATE_HOURS],
  );
}

/** Notes that this device's replica has its files. Nothing else that lies at its place may be taken over. */
export async function clearTakeOver(db: Database, me: Incarnation, repositoryId: string): Promise<void> {
  await queryRepeatable(
    db.work,
    `update lockstep.adoption a set takes_over = null from lockstep.device d
     where d.name = $1 and d.fence = $2 and a.device = d.name and a.repository_id = $3`,
    [me.device, me.fence, repositoryId],
  );
}

/** Lets this device take over the directory that lies at the place of its replica. */
export async function allowTakeOver(
  db: Database,
  me: Incarnation,
  repositoryId: string,
  takesOver: TakeOver,
): Promise<void> {
  await queryRepeatable(
    db.work,
    `insert into lockstep.adoption as a (repository_id, device, takes_over)
     select p.repository_id, d.name, $4 from lockstep.device d
     join lockstep.replica p on p.device = d.name and p.repository_id = $3 where d.name = $1 and d.fence = $2
     on conflict (repository_id, device) do update set takes_over = excluded.takes_over`,
    [me.device, me.fence, repositoryId, takesOver],
  );
}

/** A replica of which changed refs may still land (late_until). */
export interface LateReplica {
  readonly repositoryId: string;
  readonly name: string;
  readonly objectFormat: "sha1" | "sha256";
  readonly leftMs: number;
}

/** Returns the replicas of a device in whose files a push of plain git may still go on. */
export async function listLate(db: Database, device: string): Promise<LateReplica[]> {
  return await queryRepeatable<LateReplica & { [column: string]: unknown }>(
    db.work,
    `select r.id as "repositoryId", r.name, r.object_format as "objectFormat",
       greatest(0, extract(epoch from a.late_until - clock_timestamp()) * 1000)::float8 as "leftMs"
     from lockstep.adoption a join lockstep.repository r on r.id = a.repository_id
     where a.device = $1 and a.late_until > clock_timestamp() and r.removed_at is null`,
    [device],
  );
}

/** Returns the name of the repository of that id. undefined: there is none. */
export async function repositoryOf(db: Database, repositoryId: string): Promise<string | undefined> {
  const text = "select coalesce(removed_name, name) as name from lockstep.repository where id = $1";
  const [row] = await queryRepeatable<{ name: string }>(db.work, text, [repositoryId]);
  return row?.name;
}

/** Returns whether a command to adopt a directory of that name waits or runs on the device. */
export async function hasOpenAdoption(db: Database, device: string, repository: string): Promise<boolean> {
  const rows = await queryRepeatable(
    db.work,
    `select 1 from lockstep.command c where c.device = $1 and c.subject = $2 and c.command = 'adopt'
       and c.state in ('queued', 'running') limit 1`,
    [device, repository],
  );
  return rows.length > 0;
}
