// Replicas: what each device is known to hold.
import type { Incarnation, ReplicaState, Version } from "../domain.ts";
import { LockstepError } from "../errors.ts";
import { ask, type Database } from "./database.ts";
import { AWAY_SINCE } from "./device-lease.ts";
import { dated, epochMs } from "./instant.ts";

/** REPLICA_NOT_FOUND. */
export function noReplica(device: string): LockstepError {
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

export interface Behind {
  readonly repositoryId: string;
  readonly name: string;
  readonly objectFormat: "sha1" | "sha256";
}

/** This device's replicas that are behind the head, missing or broken, and due for an attempt; at most `limit`, at random. */
export async function listBehind(db: Database, device: string, limit: number): Promise<Behind[]> {
  return await ask<Behind & { [column: string]: unknown }>(
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
  return await ask<Behind & { [column: string]: unknown }>(
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
  return await ask<NotedReplica & { [column: string]: unknown }>(
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
  const rows = await ask(
    db.work,
    `select p.device, p.version, p.state, p.last_error as "lastError", ${epochMs("p.updated_at")} as "updatedAt",
       d.expires_at > clock_timestamp() as live, ${AWAY_SINCE} as "awaySince", d.git_address as "gitAddress", d.zone
     from lockstep.replica p join lockstep.device d on d.name = p.device where p.repository_id = $1 order by p.device`,
    [repositoryId],
  );
  return rows.map((row) => dated<ReplicaRow>(row, "awaySince", "updatedAt"));
}

/** The version recorded for this device's replica. Throws REPLICA_NOT_FOUND. */
export async function recordedVersion(db: Database, device: string, repositoryId: string): Promise<Version> {
  const [row] = await ask<{ version: bigint }>(
    db.work,
    "select version from lockstep.replica where repository_id = $1 and device = $2",
    [repositoryId, device],
  );
  if (row !== undefined) return row.version;
  throw noReplica(device);
}

/** Whether the device has ever recorded that it holds something of the repository. */
export async function replicaWasHere(db: Database, device: string, repositoryId: string): Promise<boolean> {
  const rows = await ask(
    db.work,
    "select 1 from lockstep.replica where repository_id = $1 and device = $2 and (fence > 0 or version > 0)",
    [repositoryId, device],
  );
  return rows.length > 0;
}

/** The name of a repository of which the device has a replica. Throws REPLICA_NOT_FOUND. */
export async function replicaName(db: Database, device: string, repositoryId: string): Promise<string> {
  const [row] = await ask<{ name: string }>(
    db.work,
    `select r.name from lockstep.replica p join lockstep.repository r on r.id = p.repository_id
     where p.repository_id = $1 and p.device = $2`,
    [repositoryId, device],
  );
  if (row !== undefined) return row.name;
  throw noReplica(device);
}
