// Reading the ref log: what changed since a version (catch-up), the whole fold (new replica, recovery). list-log.ts has it for people.
import { nameFromBytes, type RefName, type Refs, type RefValue, type Version, valueFromBytes } from "../domain.ts";
import { LockstepError } from "../errors.ts";
import { ask, type Database } from "./database.ts";

/** One ref touched between two versions. */
export interface RefChange {
  readonly name: RefName;
  /** What it held before the first of the changes: what a replica at the older version has. */
  readonly oldValue: RefValue | null;
  /** What it holds after the last of them. */
  readonly newValue: RefValue | null;
  /** The version of the last of them. */
  readonly version: Version;
}

export interface ChangesSince {
  readonly head: Version;
  readonly digest: Buffer;
  /** The digest of `since`; null where the log does not have it. */
  readonly base: Buffer | null;
  /** Also refs that ended where they began. null: the log does not reach back to that version, take the whole fold. */
  readonly changes: RefChange[] | null;
  /** An operator's version is among them, which gives others up. */
  readonly settled: boolean;
  /** Devices whose writes landed since, and those that got their objects before: they have them whatever their replica rows say. */
  readonly writers: string[];
}

/**
 * What happened to the refs of a repository after `since`, up to the head, read with the head in one statement. A gap in the
 * versions (trimmed meanwhile) gives `changes: null`. Throws REPOSITORY_NOT_FOUND.
 */
export async function readChanges(db: Database, repositoryId: string, since: Version): Promise<ChangesSince> {
  const rows = await ask<{
    head: bigint;
    digest: Buffer;
    base: Buffer | null;
    entries: bigint;
    settled: boolean | null;
    writers: string[] | null;
    name: Buffer | null;
    old_value: Buffer | null;
    new_value: Buffer | null;
    version: bigint;
  }>(
    db.work,
    `select r.head_version as head, r.head_digest as digest, b.digest as base, l.entries, l.settled, l.writers, u.name, u.old_value, u.new_value, u.version
     from lockstep.repository r
     left join lockstep.ref_log b on b.repository_id = r.id and b.version = $2
     cross join lateral (
       select count(distinct l.version) as entries, bool_or(l.settles) as settled, array_agg(distinct holder) as writers
       from lockstep.ref_log l, unnest(l.copies || l.device) holder
       where l.repository_id = r.id and l.version > $2 and l.version <= r.head_version) l
     left join lateral (
       select u.name, (array_agg(u.old_value order by u.version))[1] as old_value,
         (array_agg(u.new_value order by u.version desc))[1] as new_value, max(u.version) as version
       from lockstep.ref_log_update u
       where u.repository_id = r.id and u.version > $2 and u.version <= r.head_version group by u.name) u on true
     where r.id = $1`,
    [repositoryId, since],
  );
  const first = rows[0];
  if (first === undefined) throw gone(repositoryId);
  const dense = first.entries === (first.head > since ? first.head - since : 0n);
  const changes: RefChange[] = [];
  for (const row of rows) {
    if (row.name === null) continue;
    changes.push({
      name: nameFromBytes(row.name),
      oldValue: valueFromBytes(row.old_value),
      newValue: valueFromBytes(row.new_value),
      version: row.version,
    });
  }
  const { head, digest, base, writers } = first;
  return {
    head,
    digest,
    base,
    changes: dense ? changes : null,
    settled: first.settled ?? false,
    writers: writers ?? [],
  };
}

/** A version that an operator made, and what refs held before it. */
export interface Settlement {
  readonly version: Version;
  readonly givenUp: Refs;
}

/** The versions above `since` with which an operator gave others up, oldest first. */
export async function readSettlements(db: Database, repositoryId: string, since: Version): Promise<Settlement[]> {
  const rows = await ask<{ version: bigint; name: Buffer | null; old_value: Buffer | null }>(
    db.work,
    `select l.version, u.name, u.old_value from lockstep.ref_log l
     left join lockstep.ref_log_update u
       on u.repository_id = l.repository_id and u.version = l.version and u.old_value is not null
     where l.repository_id = $1 and l.version > $2 and l.settles order by l.version`,
    [repositoryId, since],
  );
  const byVersion = new Map<Version, Map<RefName, RefValue>>();
  for (const { version, name, old_value } of rows) {
    const refs = byVersion.get(version) ?? new Map<RefName, RefValue>();
    byVersion.set(version, refs);
    if (name !== null) refs.set(nameFromBytes(name), valueFromBytes(old_value) as RefValue);
  }
  return [...byVersion].map(([version, givenUp]) => ({ version, givenUp }));
}

export interface Fold {
  readonly name: string;
  readonly objectFormat: "sha1" | "sha256";
  readonly head: Version;
  readonly digest: Buffer;
  readonly digestKey: Buffer;
  readonly refs: Refs;
}

/** The refs at the head with its version and digest, in one statement. Throws REPOSITORY_NOT_FOUND. */
export async function readFold(db: Database, repositoryId: string): Promise<Fold> {
  const rows = await ask<{
    repository: string;
    object_format: "sha1" | "sha256";
    head: bigint;
    digest: Buffer;
    digest_key: Buffer;
    name: Buffer | null;
    value: Buffer | null;
  }>(
    db.work,
    `select r.name as repository, r.object_format, r.head_version as head, r.head_digest as digest, r.digest_key, f.name, f.value
     from lockstep.repository r left join lockstep.repository_ref f on f.repository_id = r.id where r.id = $1`,
    [repositoryId],
  );
  const first = rows[0];
  if (first === undefined) throw gone(repositoryId);
  const refs = new Map<RefName, RefValue>();
  for (const row of rows) {
    if (row.name !== null && row.value !== null)
      refs.set(nameFromBytes(row.name), valueFromBytes(row.value) as RefValue);
  }
  return {
    name: first.repository,
    objectFormat: first.object_format,
    head: first.head,
    digest: first.digest,
    digestKey: first.digest_key,
    refs,
  };
}

/**
 * Branch tips that have not changed since `since`, at most `limit`: objects that a replica at that version has, for a source
 * to leave out of a pack when the changes themselves only create refs.
 */
export async function readUnchangedTips(
  db: Database,
  repositoryId: string,
  since: Version,
  limit: number,
): Promise<RefValue[]> {
  const rows = await ask<{ value: Buffer }>(
    db.work,
    `select f.value from lockstep.repository_ref f
     where f.repository_id = $1 and f.name >= '\\x726566732f68656164732f' and f.name < '\\x726566732f686561647330'
       and f.name not in (select u.name from lockstep.ref_log_update u where u.repository_id = $1 and u.version > $2)
     limit $3`,
    [repositoryId, since, limit],
  );
  return rows.map((row) => valueFromBytes(row.value) as RefValue);
}

/**
 * The digest of the refs at `version`, or undefined when the log does not hold that version (any more). Throws
 * REPOSITORY_NOT_FOUND.
 */
export async function readDigest(db: Database, repositoryId: string, version: Version): Promise<Buffer | undefined> {
  const [row] = await ask<{ head_version: bigint; head_digest: Buffer; digest: Buffer | null }>(
    db.work,
    `select r.head_version, r.head_digest, l.digest from lockstep.repository r
     left join lockstep.ref_log l on l.repository_id = r.id and l.version = $2 where r.id = $1`,
    [repositoryId, version],
  );
  if (row === undefined) throw gone(repositoryId);
  return version === row.head_version ? row.head_digest : (row.digest ?? undefined);
}

function gone(repositoryId: string): LockstepError {
  return new LockstepError("REPOSITORY_NOT_FOUND", "The repository was removed meanwhile.", {
    details: { id: repositoryId },
  });
}
