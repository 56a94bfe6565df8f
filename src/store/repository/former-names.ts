// Names that repositories had before they were renamed, and the places where their replicas still lie.

import type { Incarnation } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { type Database, queryRepeatable, queryRepeatableRow } from "../database/database.ts";
import { noReplicaError } from "../replica/replicas.ts";
import { newestRemoval, removedError } from "./removals.ts";

/** For so long a caller that uses the old name is told the new one. */
const KEPT_HOURS = 24;

/** Makes the error REPOSITORY_NOT_FOUND for `name`. */
export function repositoryNotFoundError(name: string): LockstepError {
  return new LockstepError(
    "REPOSITORY_NOT_FOUND",
    `There is no repository ${name}; \`lockstep repo list\` shows the names, \`lockstep repo create ${name}\` makes it.`,
    { details: { repository: name } },
  );
}

/**
 * Makes the error REPOSITORY_NOT_FOUND. If the repository was renamed a while ago, it tells the new name; if it was
 * removed, until when it can be restored.
 */
export async function missingRepositoryError(db: Database, name: string): Promise<LockstepError> {
  const [row] = await queryRepeatable<{ now: string; removed: boolean }>(
    db.work,
    `select coalesce(r.removed_name, r.name) as now, r.removed_at is not null as removed
     from lockstep.former_name f join lockstep.repository r on r.id = f.repository_id
     where f.name = $1 and f.until > clock_timestamp()`,
    [name],
  );
  if (row === undefined || row.removed) {
    const removal = await newestRemoval(db, row?.now ?? name);
    return removal === undefined ? repositoryNotFoundError(name) : removedError(name, removal);
  }
  return new LockstepError(
    "REPOSITORY_NOT_FOUND",
    `The repository ${name} has been renamed to ${row.now}; use the new name.`,
    { details: { repository: name, renamed_to: row.now } },
  );
}

export type Renamed =
  /** `commands`: one for each of the devices, which are asked to move their replicas. */
  | { outcome: "renamed"; devices: string[]; commands: string[] }
  /** A session is open: whose, and where. */
  | { outcome: "session"; holder: string }
  /** Another repository has the new name. */
  | { outcome: "taken" }
  | { outcome: "missing" };

/** Renames a repository, and asks its devices to move their replicas. A repeated call gets the same answer. */
export async function renameRepository(
  db: Database,
  request: { name: string; newName: string; author: string; reason: string },
): Promise<Renamed> {
  const { name, newName, author, reason } = request;
  return await queryRepeatableRow<Renamed & { [column: string]: unknown }>(
    db.work,
    "select * from lockstep.rename_repository($1, $2, $3, $4, make_interval(hours => $5))",
    [name, newName, author, reason, KEPT_HOURS],
  );
}

/** The place of a replica. */
export interface Place {
  /** The name of the repository now. */
  readonly name: string;
  /** Earlier names, oldest first: the directory may still lie at the place of one of them. */
  readonly places: readonly string[];
}

/** Returns the place of a device's replica. Throws REPLICA_NOT_FOUND, also if the repository was removed. */
export async function placeOf(db: Database, device: string, repositoryId: string): Promise<Place> {
  const [row] = await queryRepeatable<Place & { [column: string]: unknown }>(
    db.work,
    `select r.name, p.places from lockstep.replica p join lockstep.repository r on r.id = p.repository_id
     where p.repository_id = $1 and p.device = $2 and r.removed_at is null`,
    [repositoryId, device],
  );
  if (row !== undefined) return row;
  throw noReplicaError(device);
}

/**
 * Records that this device's replica lies at the place of that name, unless it has another name by now. `isNew`: it is
 * an empty one, since no files of it lay aside.
 */
export async function recordPlace(
  db: Database,
  me: Incarnation,
  repositoryId: string,
  name: string,
  { isNew = false } = {},
): Promise<void> {
  await queryRepeatable(
    db.work,
    `update lockstep.replica p set places = '{}', kept = case when $5 then 0 else p.kept end
     from lockstep.device d, lockstep.repository r
     where d.name = $1 and d.fence = $2 and p.device = d.name and p.repository_id = $3 and r.id = p.repository_id and r.name = $4`,
    [me.device, me.fence, repositoryId, name, isNew],
  );
}

export interface MovingReplica {
  readonly id: string;
  readonly name: string;
  readonly objectFormat: "sha1" | "sha256";
}

/** A replica that may still lie at the place of an earlier name. */
export interface Leaving extends MovingReplica {
  /** Its repository was removed. */
  readonly removed: boolean;
}

/** Returns this device's replicas whose directory may lie at the place of an earlier name. */
export async function listMoving(db: Database, device: string): Promise<MovingReplica[]> {
  return await queryRepeatable<MovingReplica & { [column: string]: unknown }>(
    db.work,
    `select r.id, r.name, r.object_format as "objectFormat"
     from lockstep.replica p join lockstep.repository r on r.id = p.repository_id
     where p.device = $1 and p.places <> '{}' and r.removed_at is null and p.state in ('pending', 'active', 'broken')`,
    [device],
  );
}

/**
 * Returns the replica that may still lie at the place of `name` on a device, although its repository was renamed or
 * removed.
 */
export async function movingFrom(db: Database, device: string, name: string): Promise<Leaving | undefined> {
  const [row] = await queryRepeatable<Leaving & { [column: string]: unknown }>(
    db.work,
    `select r.id, r.name, r.object_format as "objectFormat", r.removed_at is not null as removed
     from lockstep.replica p join lockstep.repository r on r.id = p.repository_id
     where p.device = $1 and p.places <> '{}' and $2 = any(p.places) and r.name <> $2`,
    [device, name],
  );
  return row;
}
