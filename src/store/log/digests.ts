// The digests and values of a repository's log, with which an adoption compares a directory.
import { nameFromBytes, type RefName, type RefValue, toBytes, type Version } from "../../domain.ts";
import { type Database, queryRepeatable } from "../database/database.ts";

/** Returns the key of a repository's digests. undefined: the repository is gone. */
export async function readDigestKey(db: Database, repositoryId: string): Promise<Buffer | undefined> {
  const [row] = await queryRepeatable<{ digest_key: Buffer }>(
    db.work,
    "select digest_key from lockstep.repository where id = $1",
    [repositoryId],
  );
  return row?.digest_key;
}

/** Returns the newest version whose refs have that digest. undefined: the log has none. */
export async function versionOfDigest(
  db: Database,
  repositoryId: string,
  digest: Buffer,
): Promise<Version | undefined> {
  const [row] = await queryRepeatable<{ version: Version }>(
    db.work,
    `select l.version from lockstep.ref_log l where l.repository_id = $1 and l.digest = $2
     order by l.version desc limit 1`,
    [repositoryId, digest],
  );
  return row?.version;
}

/** Returns the first version of the log. undefined: there is none. */
export async function firstVersion(db: Database, repositoryId: string): Promise<Version | undefined> {
  const [row] = await queryRepeatable<{ version: Version }>(
    db.work,
    "select l.version from lockstep.ref_log l where l.repository_id = $1 order by l.version limit 1",
    [repositoryId],
  );
  return row?.version;
}

/**
 * Returns those of the values that the log has given to their ref after version `since`. `values`: the name of each ref
 * with a value.
 */
export async function valuesSince(
  db: Database,
  repositoryId: string,
  since: Version,
  values: readonly (readonly [RefName, RefValue | null])[],
): Promise<Set<RefName>> {
  const rows = await queryRepeatable<{ name: Buffer }>(
    db.work,
    `select v.name from unnest($3::bytea[], $4::bytea[]) v (name, value) where exists (
       select from lockstep.ref_log_update u
       where u.repository_id = $1 and u.version > $2 and u.name = v.name and u.new_value is not distinct from v.value)`,
    [
      repositoryId,
      since,
      values.map(([name]) => toBytes(name)),
      values.map(([, value]) => (value === null ? null : toBytes(value))),
    ],
  );
  return new Set(rows.map(({ name }) => nameFromBytes(name)));
}
