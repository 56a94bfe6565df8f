// Directories below the roots of devices that are no replicas, as the last scans found them
// (sync/adopt/scan-root.ts).
import type { Incarnation, Version } from "../../domain.ts";
import { type Database, queryRepeatable } from "../database/database.ts";

/** A bare repository that a scan found. */
export interface FoundDirectory {
  readonly path: string;
  /** The name that it would have as a repository. */
  readonly repository: string;
  /** The repository of which the note beside it says that it is a replica. null: there is no note. */
  readonly repositoryId: string | null;
  readonly version: Version | null;
}

export interface UnknownDirectory extends FoundDirectory {
  readonly device: string;
}

/** The part of a root that was scanned: paths after `after` up to `last`. undefined: up to the end. */
export interface ScannedPart {
  readonly after: string;
  readonly last: string | undefined;
}

/**
 * Returns those of `names` that are no replica that this device has ever had. A replica that is about to move to its
 * repository's new name is one. `repositoryId`: a repository of that name of which the device is to have a replica. The
 * directory may be that replica, made a moment ago.
 */
export async function notReplicas(
  db: Database,
  device: string,
  names: readonly string[],
): Promise<Map<string, { repositoryId: string | null }>> {
  const rows = await queryRepeatable<{ name: string; id: string | null }>(
    db.work,
    `select n.name, p.repository_id as id from unnest($2::text[]) n (name)
     left join lockstep.repository r on r.name = n.name
     left join lockstep.replica p on p.repository_id = r.id and p.device = $1 and p.state in ('pending', 'active', 'broken')
     where (p.device is null or (p.fence = 0 and p.version = 0))
       and not exists (select from lockstep.replica m where m.device = $1 and m.places <> '{}' and n.name = any(m.places))`,
    [device, names],
  );
  return new Map(rows.map(({ name, id }) => [name, { repositoryId: id }]));
}

/** Replaces what is on record about one part of a device's root. Does nothing if this process was replaced. */
export async function recordUnknown(
  db: Database,
  me: Incarnation,
  { after, last }: ScannedPart,
  found: readonly FoundDirectory[],
): Promise<void> {
  await queryRepeatable(
    db.work,
    // Mostly nothing is on record, and nothing was found. Then no row is locked, so the commit waits for no standby.
    `with me as (
       select name from lockstep.device where name = $1 and fence = $2 and (cardinality($5::text[]) > 0 or exists (
         select from lockstep.unknown_directory u where u.device = $1 and u.path > $3 and ($4::text is null or u.path <= $4)))
       for key share),
     found as (select * from unnest($5::text[], $6::text[], $7::uuid[], $8::bigint[]) f (path, repository, repository_id, version)),
     gone as (
       delete from lockstep.unknown_directory u using me
       where u.device = me.name and u.path > $3 and ($4::text is null or u.path <= $4) and not exists (select from found f where f.path = u.path))
     insert into lockstep.unknown_directory (device, path, repository, repository_id, version)
     select me.name, f.path, f.repository, f.repository_id, f.version from me, found f
     on conflict (device, path) do update set repository = excluded.repository, repository_id = excluded.repository_id,
       version = excluded.version, seen_at = excluded.seen_at`,
    [
      me.device,
      me.fence,
      after,
      last ?? null,
      found.map(({ path }) => path),
      found.map(({ repository }) => repository),
      found.map(({ repositoryId }) => repositoryId),
      found.map(({ version }) => version),
    ],
  );
}

/** Returns the unknown directories on all devices, at most `limit`, by device and path. */
export async function listUnknown(db: Database, limit: number): Promise<UnknownDirectory[]> {
  return await queryRepeatable<UnknownDirectory & { [column: string]: unknown }>(
    db.work,
    `${SELECT_UNKNOWN} order by device, path limit $1`,
    [limit],
  );
}

/** Returns the unknown directories of one device, at most `limit` after the path `after`. */
export async function listUnknownOf(
  db: Database,
  device: string,
  after: string,
  limit: number,
): Promise<UnknownDirectory[]> {
  return await queryRepeatable<UnknownDirectory & { [column: string]: unknown }>(
    db.work,
    `${SELECT_UNKNOWN} where device = $1 and path > $2 order by path limit $3`,
    [device, after, limit],
  );
}

/** Returns the unknown directories of all devices that have that name. */
export async function unknownNamed(db: Database, repository: string): Promise<UnknownDirectory[]> {
  return await queryRepeatable<UnknownDirectory & { [column: string]: unknown }>(
    db.work,
    `${SELECT_UNKNOWN} where repository = $1 order by device`,
    [repository],
  );
}

const SELECT_UNKNOWN = `select device, path, repository, repository_id as "repositoryId", version from lockstep.unknown_directory`;
