// Replicas, with the version that each device has recorded.
import type { Incarnation, ReplicaState, Version } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { HELD } from "../../replica-states.ts";
import { type Database, queryRepeatable } from "../database/database.ts";
import { dated, epochMs, intervalMs } from "../database/instant.ts";
import { AWAY_SINCE } from "../device/device-lease.ts";
import type { ScrubResult } from "./scrubs.ts";

/** Makes the error REPLICA_NOT_FOUND. */
export function noReplicaError(device: string, repository?: string): LockstepError {
  return new LockstepError(
    "REPLICA_NOT_FOUND",
    `Device ${device} has no replica of ${repository ?? "this repository"}; ask a device that has one, ` +
      `\`lockstep repo show ${repository ?? "NAME"}\` lists them.`,
    { details: { device, ...(repository === undefined ? {} : { repository }) } },
  );
}

/** Makes the error FENCED: another process has replaced this one, which must end. */
export function fencedError(me: Incarnation): LockstepError {
  return new LockstepError("FENCED", `Another sidecar has taken over device ${me.device}; this one ends, ask again.`);
}

/** A replica of this device. */
export interface ReplicaToFollow {
  readonly repositoryId: string;
  readonly name: string;
  readonly objectFormat: "sha1" | "sha256";
  /** For how long one update may run. null: the default. */
  readonly updateLimitMs: number | null;
}

/** Returns this device's replicas of the given repositories. */
export async function listReplicas(
  db: Database,
  device: string,
  repositoryIds: readonly string[],
): Promise<ReplicaToFollow[]> {
  return await queryRepeatable<ReplicaToFollow & { [column: string]: unknown }>(
    db.work,
    `select r.id as "repositoryId", r.name, r.object_format as "objectFormat",
       ${intervalMs("r.update_limit")} as "updateLimitMs"
     from lockstep.replica p join lockstep.repository r on r.id = p.repository_id
     where p.device = $1 and r.id = any($2::uuid[]) and r.removed_at is null and p.state in ${HELD}`,
    [device, repositoryIds],
  );
}

/** A replica of this device with its recorded version. */
export interface NotedReplica {
  readonly repositoryId: string;
  readonly name: string;
  readonly objectFormat: "sha1" | "sha256";
  readonly version: Version;
}

/** Returns this device's replicas in the order of their repositories' names, at most `limit` after the name `after`. */
export async function listReplicasAfter(
  db: Database,
  device: string,
  after: string,
  limit: number,
): Promise<NotedReplica[]> {
  return await queryRepeatable<NotedReplica & { [column: string]: unknown }>(
    db.work,
    `select r.id as "repositoryId", r.name, r.object_format as "objectFormat", p.version
     from lockstep.replica p join lockstep.repository r on r.id = p.repository_id
     where p.device = $1 and r.name > $2 and r.removed_at is null and p.state in ${HELD} order by r.name limit $3`,
    [device, after, limit],
  );
}

export interface ReplicaRow {
  readonly device: string;
  readonly version: Version;
  readonly state: ReplicaState;
  readonly lastError: string | null;
  readonly updatedAt: Date;
  /** True while a sidecar holds the device's lease. */
  readonly live: boolean;
  /** When the device's lease ended. null: a sidecar holds it, or none ever did. */
  readonly awaySince: Date | null;
  readonly gitAddress: string;
  readonly sshAddress: string;
  readonly sshUser: string;
  readonly zone: string;
  /** The device shall hold the repository. False: it gives its copy up once the others have everything. */
  readonly wanted: boolean;
  /** The last scrub and when it was. null: there was none. */
  readonly scrub: ScrubResult | null;
  readonly scrubbedAt: Date | null;
}

/** Returns all replicas of a repository, by device, also those that were given up. */
export async function replicasOf(db: Database, repositoryId: string): Promise<ReplicaRow[]> {
  const rows = await queryRepeatable(
    db.work,
    `select p.device, p.version, p.state, p.last_error as "lastError", ${epochMs("p.updated_at")} as "updatedAt",
       d.expires_at > clock_timestamp() as live, ${AWAY_SINCE} as "awaySince", d.git_address as "gitAddress",
       d.ssh_address as "sshAddress", d.ssh_user as "sshUser", d.zone,
       d.draining_since is null and (r.placement is null or p.device = any(r.placement)) as wanted,
       p.scrub, ${epochMs("case when p.scrub is not null then p.scrubbed_at end")} as "scrubbedAt"
     from lockstep.replica p join lockstep.repository r on r.id = p.repository_id
       join lockstep.device d on d.name = p.device and d.removed_at is null
     where p.repository_id = $1 order by p.device`,
    [repositoryId],
  );
  return rows.map((row) => dated<ReplicaRow>(row, "awaySince", "updatedAt", "scrubbedAt"));
}

/** Returns the version and the state recorded for this device's replica. Throws REPLICA_NOT_FOUND. */
export async function readRecord(
  db: Database,
  device: string,
  repositoryId: string,
): Promise<{ version: Version; state: ReplicaState }> {
  const [row] = await queryRepeatable<{ version: Version; state: ReplicaState }>(
    db.work,
    "select version, state from lockstep.replica where repository_id = $1 and device = $2",
    [repositoryId, device],
  );
  if (row !== undefined) return row;
  throw noReplicaError(device);
}

/**
 * Returns whether the device has ever recorded that it holds something of the repository, at the place of its name of
 * now.
 */
export async function replicaWasHere(db: Database, device: string, repositoryId: string): Promise<boolean> {
  const rows = await queryRepeatable(
    db.work,
    "select 1 from lockstep.replica where repository_id = $1 and device = $2 and places = '{}' and (fence > 0 or version > 0)",
    [repositoryId, device],
  );
  return rows.length > 0;
}

/** Throws REPLICA_NOT_FOUND if the device has no replica of the repository, or has given it up. */
export async function assertHeld(db: Database, device: string, repositoryId: string): Promise<void> {
  const rows = await queryRepeatable(
    db.work,
    `select from lockstep.replica p where p.repository_id = $1 and p.device = $2 and p.state in ${HELD}`,
    [repositoryId, device],
  );
  if (rows.length === 0) throw noReplicaError(device);
}

/** Returns the name of a repository of which the device has a replica. Throws REPLICA_NOT_FOUND. */
export async function replicaName(db: Database, device: string, repositoryId: string): Promise<string> {
  const [row] = await queryRepeatable<{ name: string }>(
    db.work,
    `select r.name from lockstep.replica p join lockstep.repository r on r.id = p.repository_id
     where p.repository_id = $1 and p.device = $2`,
    [repositoryId, device],
  );
  if (row !== undefined) return row.name;
  throw noReplicaError(device);
}

/** Returns those of the repositories of which this device has a whole replica. */
export async function listActive(db: Database, device: string, repositoryIds: readonly string[]): Promise<string[]> {
  const rows = await queryRepeatable<{ id: string }>(
    db.work,
    // The state is looked at outside: otherwise PostgreSQL may take an index of active replicas and read all of them.
    `select p.repository_id as id from unnest($2::uuid[]) wanted (id) cross join lateral (
       select repository_id, state from lockstep.replica where repository_id = wanted.id and device = $1 offset 0) p
     where p.state = 'active'`,
    [device, repositoryIds],
  );
  return rows.map(({ id }) => id);
}
