// What a device records of its own replicas. It records a version only when the refs are on disk.
import type { Incarnation, Version } from "../../domain.ts";
import type { LockstepError } from "../../errors.ts";
import { HELD } from "../../replica-states.ts";
import { type Database, queryOnce, queryRepeatable } from "../database/database.ts";
import { fencedError, noReplicaError } from "./replicas.ts";

let statements = 0;

/**
 * Returns the number of the next statement about the version of a replica. If the connection of a statement breaks, the
 * server may still run it, after later ones. A record with a lower number than the statement that last lowered the
 * version has no effect. Records overtake each other freely: none of them lowers a version.
 */
function nextNumber({ fence }: Incarnation): bigint {
  statements += 1;
  return (fence << 32n) + BigInt(statements);
}

/** How many characters of git's words are kept. */
const SAID_LIMIT = 200;

export interface SyncEvent {
  readonly fromDevice: string;
  readonly fromVersion: Version;
  readonly bytes: number;
  readonly refsChanged: number;
  readonly durationMs: number;
}

/**
 * Records that this device's replica has the refs of `version` on disk. `event`: the catch-up that brought them, or
 * null. If the database does not know the version, or knows it with another digest, the version is not recorded. The
 * database has then lost writes, and the next read finds that out. Throws FENCED when another incarnation has the
 * device, REPLICA_NOT_FOUND when the replica is gone.
 */
export async function recordVersion(
  db: Database,
  me: Incarnation,
  repositoryId: string,
  version: Version,
  event: SyncEvent | null,
  digest?: string,
): Promise<void> {
  const rows = await queryRepeatable(
    db.work,
    // A server that crashes may forget this. Then the replica is compared once more.
    `with quick as materialized (select set_config('synchronous_commit', 'off', true)),
     me as (select name from lockstep.device, quick where name = $2 and fence = $3 for key share of device),
     recorded as (
       update lockstep.replica p set state = 'active', fence = $3, last_error = null,
         attempts = 0, next_attempt_at = null, updated_at = clock_timestamp(), kept = 0,
         version = case when r.head_version < $4 or coalesce(l.digest, r.head_digest) <> $10::bytea then p.version else greatest(p.version, $4) end
       from me, lockstep.repository r left join lockstep.ref_log l on l.repository_id = r.id and l.version = $4
       where r.id = p.repository_id and p.repository_id = $1 and p.device = me.name and p.state in ${HELD}
         and p.statement_number <= $11 returning p.device),
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
      nextNumber(me),
    ],
  );
  if (rows.length === 0) throw await notRecordedError(db, me);
}

async function notRecordedError(db: Database, me: Incarnation): Promise<LockstepError> {
  const rows = await queryRepeatable(db.work, "select 1 from lockstep.device where name = $1 and fence = $2", [
    me.device,
    me.fence,
  ]);
  if (rows.length === 0) return fencedError(me);
  return noReplicaError(me.device);
}

/** Records why a catch-up failed and when to try again: after 1 s, doubling to at most 5 min. Nothing depends on it. */
export async function recordFailure(
  db: Database,
  me: Incarnation,
  repositoryId: string,
  failure: {
    error: string;
    /** The last words of the git that failed. */
    said?: string | undefined;
    broken: boolean;
    fromVersion: Version;
    version: Version;
    durationMs: number;
  },
): Promise<void> {
  await queryOnce(
    db.work,
    `with failed as (
       update lockstep.replica p set last_error = $4, attempts = p.attempts + 1, updated_at = clock_timestamp(),
         state = case when $5 and p.state in ('pending', 'active') then 'broken' else p.state end,
         next_attempt_at = clock_timestamp() + least(300, power(2, least(p.attempts, 9))) * (0.8 + 0.4 * random()) * interval '1 second'
       from lockstep.device d
       where d.name = $2 and d.fence = $3 and p.repository_id = $1 and p.device = d.name returning p.device)
     insert into lockstep.sync_event
       (repository_id, device, from_device, from_version, version, bytes, refs_changed, duration_ms, result, error, said)
     select $1, device, '', $6, $7, 0, 0, $8, 'failed', $4, $9 from failed`,
    [
      repositoryId,
      me.device,
      me.fence,
      failure.error.slice(0, 2000),
      failure.broken,
      failure.fromVersion,
      failure.version,
      Math.round(failure.durationMs),
      failure.said?.replaceAll("\0", "").slice(0, SAID_LIMIT) ?? null,
    ],
  );
}

/** Lowers the recorded versions of this device's replicas that hold less than was recorded. */
export async function reviseVersions(
  db: Database,
  me: Incarnation,
  replicas: readonly { repositoryId: string; version: Version }[],
): Promise<void> {
  await queryRepeatable(
    db.work,
    `update lockstep.replica p set version = least(p.version, u.version), statement_number = $5,
       next_attempt_at = case when p.version > u.version then null else p.next_attempt_at end,
       state = case when p.version > u.version and p.state = 'active' then 'pending' else p.state end
     from unnest($3::uuid[], $4::bigint[]) u (repository_id, version), lockstep.device d
     where d.name = $1 and d.fence = $2 and p.device = d.name and p.repository_id = u.repository_id
       and p.statement_number <= $5`,
    [
      me.device,
      me.fence,
      replicas.map(({ repositoryId }) => repositoryId),
      replicas.map(({ version }) => version),
      nextNumber(me),
    ],
  );
}

/** Returns the newest successful catch-up of a device's replica. */
export async function lastSync(
  db: Database,
  device: string,
  repositoryId: string,
): Promise<{ fromDevice: string; bytes: bigint; refsChanged: number } | undefined> {
  const [row] = await queryRepeatable<{ fromDevice: string; bytes: bigint; refsChanged: number }>(
    db.work,
    `select from_device as "fromDevice", bytes, refs_changed as "refsChanged" from lockstep.sync_event
     where repository_id = $1 and device = $2 and result = 'ok' order by id desc limit 1`,
    [repositoryId, device],
  );
  return row;
}
