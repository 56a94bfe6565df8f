// Replicas: what each device is known to hold. The version is recorded only when the refs are on disk.
import type { Incarnation, ReplicaState, Version } from "../domain.ts";
import { LockstepError } from "../errors.ts";
import { type Database, query } from "./database.ts";
import { AWAY_SINCE } from "./device-lease.ts";

export interface SyncEvent {
  readonly fromDevice: string;
  readonly fromVersion: Version;
  readonly bytes: number;
  readonly refsChanged: number;
  readonly durationMs: number;
}

/**
 * Records that this device's replica has the refs of `version` on disk, with the catch-up that brought them, if one did.
 * A version that the database does not know, or knows with another digest, is not recorded: it lost writes, which the next read finds.
 * Throws FENCED when another incarnation has the device, REPLICA_NOT_FOUND when the replica is gone.
 */
export async function recordVersion(
  db: Database,
  me: Incarnation,
  repositoryId: string,
  version: Version,
  event: SyncEvent | null,
  digest?: string,
): Promise<void> {
  const rows = await query(
    db.work,
    // A server that crashes may forget it: then the replica is compared once more.
    `with quick as materialized (select set_config('synchronous_commit', 'off', true)),
     me as (select name from lockstep.device, quick where name = $2 and fence = $3 for key share of device),
     recorded as (
       update lockstep.replica p set state = 'active', fence = $3, last_error = null,
         attempts = 0, next_attempt_at = null, updated_at = clock_timestamp(),
         version = case when r.head_version < $4 or coalesce(l.digest, r.head_digest) <> $10::bytea then p.version else greatest(p.version, $4) end
       from me, lockstep.repository r left join lockstep.ref_log l on l.repository_id = r.id and l.version = $4
       where r.id = p.repository_id and p.repository_id = $1 and p.device = me.name and p.state in ('pending', 'active', 'broken') returning p.device),
     event as (
       insert into lockstep.sync_event
         (repository_id, device, from_device, from_version, version, bytes, refs_changed, duration_ms, result)
       select $1, device, $5, $6, $4, $7, $8, $9, 'ok' from recorded where $5::text is not null)
     select 1 from recorded`,
    [
      repositoryId,
      me.device,
      me.fence,
      version,
      event?.fromDevice ?? null,
      event?.fromVersion ?? 0n,
      event?.bytes ?? 0,
      event?.refsChanged ?? 0,
      Math.round(event?.durationMs ?? 0),
      digest === undefined ? null : Buffer.from(digest, "hex"),
    ],
  );
  if (rows.length === 0) throw await whyNotRecorded(db, me);
}

async function whyNotRecorded(db: Database, me: Incarnation): Promise<LockstepError> {
  const rows = await query(db.work, "select 1 from lockstep.device where name = $1 and fence = $2", [
    me.device,
    me.fence,
  ]);
  if (rows.length === 0) return fenced(me);
  return noReplica(me.device);
}

function noReplica(device: string): LockstepError {
  return new LockstepError(
    "REPLICA_NOT_FOUND",
    `Device ${device} has no replica of this repository; ask a device that has one, \`lockstep repo show NAME\` lists them.`,
    { details: { device } },
  );
}

/** FENCED: this process has been replaced and must end. */
export function fenced(me: Incarnation): LockstepError {
  return new LockstepError("FENCED", `Another sidecar has taken over device ${me.device}; this one ends, ask again.`);
}

/** Records why a catch-up failed and when to try again (doubling, from 1 s to 5 min). Best effort: nothing depends on it. */
export async function recordFailure(
  db: Database,
  me: Incarnation,
  repositoryId: string,
  failure: { error: string; broken: boolean; fromVersion: Version; version: Version; durationMs: number },
): Promise<void> {
  await query(
    db.work,
    `with failed as (
       update lockstep.replica p set last_error = $4, attempts = p.attempts + 1, updated_at = clock_timestamp(),
         state = case when $5 and p.state in ('pending', 'active') then 'broken' else p.state end,
         next_attempt_at = clock_timestamp() + least(300, power(2, least(p.attempts, 9))) * (0.8 + 0.4 * random()) * interval '1 second'
       from lockstep.device d
       where d.name = $2 and d.fence = $3 and p.repository_id = $1 and p.device = d.name returning p.device)
     insert into lockstep.sync_event
       (repository_id, device, from_device, from_version, version, bytes, refs_changed, duration_ms, result, error)
     select $1, device, '', $6, $7, 0, 0, $8, 'failed', $4 from failed`,
    [
      repositoryId,
      me.device,
      me.fence,
      failure.error.slice(0, 2000),
      failure.broken,
      failure.fromVersion,
      failure.version,
      Math.round(failure.durationMs),
    ],
  );
}

/** Records that this device's replicas hold less than was recorded. */
export async function reviseVersions(
  db: Database,
  me: Incarnation,
  replicas: readonly { repositoryId: string; version: Version }[],
): Promise<void> {
  await query(
    db.work,
    `update lockstep.replica p set version = u.version, next_attempt_at = null,
       state = case p.state when 'active' then 'pending' else p.state end
     from unnest($3::uuid[], $4::bigint[]) u (repository_id, version), lockstep.device d
     where d.name = $1 and d.fence = $2 and p.device = d.name and p.repository_id = u.repository_id and p.version > u.version`,
    [me.device, me.fence, replicas.map(({ repositoryId }) => repositoryId), replicas.map(({ version }) => version)],
  );
}

export interface Behind {
  readonly repositoryId: string;
  readonly name: string;
  readonly objectFormat: "sha1" | "sha256";
}

/** This device's replicas that are behind the head, missing or broken, and due for an attempt; at most `limit`, at random. */
export async function listBehind(db: Database, device: string, limit: number): Promise<Behind[]> {
  return await query<Behind & { [column: string]: unknown }>(
    db.work,
    `select r.id as "repositoryId", r.name, r.object_format as "objectFormat"
     from lockstep.replica p join lockstep.repository r on r.id = p.repository_id
     where p.device = $1 and p.state in ('pending', 'active', 'broken')
       and (p.version < r.head_version or p.state <> 'active')
       and (p.next_attempt_at is null or p.next_attempt_at <= clock_timestamp())
     order by random() limit $2`,
    [device, limit],
  );
}

/** Those of the given repositories of which this device has a replica. */
export async function listReplicas(db: Database, device: string, repositoryIds: readonly string[]): Promise<Behind[]> {
  return await query<Behind & { [column: string]: unknown }>(
    db.work,
    `select r.id as "repositoryId", r.name, r.object_format as "objectFormat"
     from lockstep.replica p join lockstep.repository r on r.id = p.repository_id
     where p.device = $1 and r.id = any($2::uuid[]) and p.state in ('pending', 'active', 'broken')`,
    [device, repositoryIds],
  );
}

/** A replica of this device, and the version that is recorded for it. */
export interface NotedReplica {
  readonly repositoryId: string;
  readonly name: string;
  readonly version: Version;
}

/** This device's replicas by the names of their repositories, at most `limit` after the name `after`. */
export async function listReplicasAfter(
  db: Database,
  device: string,
  after: string,
  limit: number,
): Promise<NotedReplica[]> {
  return await query<NotedReplica & { [column: string]: unknown }>(
    db.work,
    `select r.id as "repositoryId", r.name, p.version from lockstep.replica p join lockstep.repository r on r.id = p.repository_id
     where p.device = $1 and r.name > $2 and p.state in ('pending', 'active', 'broken') order by r.name limit $3`,
    [device, after, limit],
  );
}

export interface ReplicaRow {
  readonly device: string;
  readonly version: Version;
  readonly state: ReplicaState;
  readonly lastError: string | null;
  readonly updatedAt: Date;
  /** Its device holds a lease now. */
  readonly live: boolean;
  /** When its lease ended, null: it holds one, or nobody knows. */
  readonly awaySince: Date | null;
  readonly gitAddress: string;
  readonly zone: string;
}

/** All replicas of a repository, by device. */
export async function replicasOf(db: Database, repositoryId: string): Promise<ReplicaRow[]> {
  return await query<ReplicaRow & { [column: string]: unknown }>(
    db.work,
    `select p.device, p.version, p.state, p.last_error as "lastError", p.updated_at as "updatedAt",
       d.expires_at > clock_timestamp() as live, ${AWAY_SINCE} as "awaySince", d.git_address as "gitAddress", d.zone
     from lockstep.replica p join lockstep.device d on d.name = p.device where p.repository_id = $1 order by p.device`,
    [repositoryId],
  );
}

/** The version recorded for this device's replica. Throws REPLICA_NOT_FOUND. */
export async function recordedVersion(db: Database, device: string, repositoryId: string): Promise<Version> {
  const [row] = await query<{ version: bigint }>(
    db.work,
    "select version from lockstep.replica where repository_id = $1 and device = $2",
    [repositoryId, device],
  );
  if (row !== undefined) return row.version;
  throw noReplica(device);
}

export interface StatusRow {
  readonly repository: string;
  readonly head: Version;
  readonly behind: string[];
  readonly broken: string[];
  readonly leaders: string[];
  readonly writing: boolean;
  readonly writesStopped: boolean;
  /** Why nobody may use it until an operator has decided, null: they may. */
  readonly stopped: string | null;
}

/**
 * Repositories that are not at rest: someone behind or broken, a head on fewer than two devices, a write under way, writes
 * stopped to it (not only to all), or all of it.
 */
export async function listUnrest(db: Database, limit: number): Promise<StatusRow[]> {
  return await query<StatusRow & { [column: string]: unknown }>(
    db.work,
    `select * from (
       select r.name as repository, r.head_version as head, r.stopped,
         coalesce(array_agg(p.device order by p.device) filter (where p.state in ('pending', 'active') and (p.version < r.head_version or p.state = 'pending')), '{}') as behind,
         coalesce(array_agg(p.device order by p.device) filter (where p.state = 'broken'), '{}') as broken,
         coalesce(array_agg(p.device order by p.device) filter (where p.state = 'active' and p.version >= r.head_version), '{}') as leaders,
         exists (select from lockstep.write w where w.repository_id = r.id and w.status = 'staged') as writing,
         exists (select from lockstep.write_lock l where l.repository_id = r.id) as "writesStopped"
       from lockstep.repository r left join lockstep.replica p on p.repository_id = r.id group by r.id) s
     where behind <> '{}' or broken <> '{}' or cardinality(leaders) < 2 or writing or "writesStopped" or stopped is not null
     order by repository limit $1`,
    [limit],
  );
}

/** The newest successful catch-up of a device's replica. */
export async function lastSync(
  db: Database,
  device: string,
  repositoryId: string,
): Promise<{ fromDevice: string; bytes: bigint; refsChanged: number } | undefined> {
  const [row] = await query<{ fromDevice: string; bytes: bigint; refsChanged: number }>(
    db.work,
    `select from_device as "fromDevice", bytes, refs_changed as "refsChanged" from lockstep.sync_event
     where repository_id = $1 and device = $2 and result = 'ok' order by id desc limit 1`,
    [repositoryId, device],
  );
  return row;
}

/** The name of a repository of which the device has a replica. Throws REPLICA_NOT_FOUND. */
export async function replicaName(db: Database, device: string, repositoryId: string): Promise<string> {
  const [row] = await query<{ name: string }>(
    db.work,
    `select r.name from lockstep.replica p join lockstep.repository r on r.id = p.repository_id
     where p.repository_id = $1 and p.device = $2`,
    [repositoryId, device],
  );
  if (row !== undefined) return row.name;
  throw noReplica(device);
}
