// Reads the fold of a repository: the refs that the log adds up to, at the head.
import { nameFromBytes, type RefName, type Refs, type RefValue, type Version, valueFromBytes } from "../../domain.ts";
import { type Database, queryRepeatable } from "../database/database.ts";
import { type FoldHeader, PAGE, REPLICATED, readFoldInPages } from "./read-pages.ts";
import { goneError } from "./ref-log.ts";

export interface Fold {
  readonly head: Version;
  readonly digest: Buffer;
  readonly digestKey: Buffer;
  readonly refs: Refs;
  /** As in `ChangesSince`. */
  readonly replicated: boolean;
  readonly timeline: string | null;
}

/** Returns the refs at the head with its version and digest, all as of one moment. Throws REPOSITORY_NOT_FOUND. */
export async function readFold(db: Database, repositoryId: string, page: number = PAGE): Promise<Fold> {
  const rows = await queryRepeatable<FoldHeader & { name: Buffer | null; value: Buffer | null }>(
    db.work,
    `select r.head_version as head, r.head_digest as digest, r.digest_key, ${REPLICATED},
       f.name, f.value
     from lockstep.repository r
     left join lateral (select * from lockstep.repository_ref f where f.repository_id = r.id limit $2) f on true
     where r.id = $1`,
    [repositoryId, page],
  );
  const first = rows[0];
  if (first === undefined) throw goneError(repositoryId);
  if (rows.length < page) {
    const refs = new Map<RefName, RefValue>();
    for (const { name, value } of rows)
      if (name !== null && value !== null) refs.set(nameFromBytes(name), valueFromBytes(value) as RefValue);
    return foldOf(first, refs);
  }
  const whole = await readFoldInPages(db, repositoryId, page);
  if (whole === undefined) throw goneError(repositoryId);
  return foldOf(whole.header, whole.refs);
}

function foldOf(header: FoldHeader, refs: Refs): Fold {
  const { head, digest, digest_key: digestKey, replicated, timeline } = header;
  return { head, digest, digestKey, refs, replicated, timeline };
}
