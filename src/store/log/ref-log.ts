// Reads the ref log: the changes since a version (catch-up), and the whole fold (new replica, recovery). For people:
// list-log.ts.
import { nameFromBytes, type RefName, type Refs, type RefValue, type Version, valueFromBytes } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { type Database, queryRepeatable } from "../database/database.ts";
import { type BesideChanges, type BesideDocument, besideChanges, besideOf } from "./beside-changes.ts";
import {
  type ChangesHeader,
  type LogEntries,
  type Origin,
  PAGE,
  REPLICATED,
  type RefChange,
  readChangesInPages,
} from "./read-pages.ts";

export type { Origin, RefChange } from "./read-pages.ts";

export interface ChangesSince {
  readonly head: Version;
  readonly digest: Buffer;
  readonly digestKey: Buffer;
  /** The digest at `since`. null: the log does not have that version. */
  readonly base: Buffer | null;
  /**
   * All refs that were touched, also those that ended where they began. null: the log does not reach back to `since`,
   * so the caller must take the whole fold.
   */
  readonly changes: RefChange[] | null;
  /** The write of the new value of each changed ref. */
  readonly origins: ReadonlyMap<RefName, Origin>;
  /** True when an operator's version, which gives up others, is among the changes. */
  readonly settled: boolean;
  /**
   * True when commits wait for a synchronous standby. Then what was read may not have reached it yet: `confirmReads`.
   */
  readonly replicated: boolean;
  /** The timeline of the server that answered. null: that server was a standby. */
  readonly timeline: string | null;
  /**
   * Devices that have objects of some of these versions, whatever their replica rows say: they landed the writes, or
   * got the objects before the bump.
   */
  readonly writers: string[];
  /** Facts that were read with the log. undefined: the changes came in pages, so the caller asks for these itself. */
  readonly beside: BesideChanges | undefined;
}

/**
 * Reads what happened to the refs of a repository after `since`, up to the head. A gap in the versions (trimmed
 * meanwhile) gives `changes: null`. If the changes fit into one page, they are read with the head in one statement.
 * Throws REPOSITORY_NOT_FOUND.
 */
export async function readChanges(
  db: Database,
  repositoryId: string,
  since: Version,
  page: number = PAGE,
): Promise<ChangesSince> {
  const rows = await queryRepeatable<
    ChangesHeader &
      LogEntries & {
        total: bigint | null;
        name: Buffer | null;
        old_value: Buffer | null;
        new_value: Buffer | null;
        version: bigint;
        devices: string[];
        beside: BesideDocument | null;
      }
  >(
    db.work,
    `select r.head_version as head, r.head_digest as digest, r.digest_key, b.digest as base, l.entries, l.settled, l.writers,
       ${REPLICATED}, u.total, u.name, u.old_value, u.new_value, u.version,
       (select w.holders || w.device from lockstep.ref_log w where w.repository_id = r.id and w.version = u.version) as devices,
       case when row_number() over () = 1 then ${besideChanges("u.creates")} end as beside
     from lockstep.repository r
     left join lockstep.ref_log b on b.repository_id = r.id and b.version = $2
     cross join lateral (
       select count(distinct p.version) as entries, bool_or(p.settles) as settled, array_agg(distinct holder) as writers
       from (
         select * from lockstep.ref_log l where l.repository_id = r.id and l.version > $2 and l.version <= r.head_version
         order by l.version limit $3) p, unnest(p.holders || p.device) holder) l
     left join lateral (
       select p.name, (array_agg(p.old_value order by p.version))[1] as old_value,
         (array_agg(p.new_value order by p.version desc))[1] as new_value, max(p.version) as version,
         (sum(count(*)) over ())::int8 as total,
         bool_or((array_agg(p.old_value order by p.version))[1] is null
           and (array_agg(p.new_value order by p.version desc))[1] is not null) over () as creates
       from (
         select * from lockstep.ref_log_update u
         where u.repository_id = r.id and u.version > $2 and u.version <= r.head_version
         order by u.version, u.name limit $3) p
       group by p.name) u on true
     where r.id = $1`,
    [repositoryId, since, page],
  );
  const first = rows[0];
  if (first === undefined) throw goneError(repositoryId);
  if (first.entries >= BigInt(page) || (first.total ?? 0n) >= BigInt(page)) {
    const found = await readChangesInPages(db, repositoryId, since, page);
    if (found === undefined) throw goneError(repositoryId);
    return changesOf(found.header, since, found.log, found);
  }
  const changes: RefChange[] = [];
  const origins = new Map<RefName, Origin>();
  for (const { name, old_value, new_value, version, devices } of rows) {
    if (name === null) continue;
    const [oldValue, newValue] = [valueFromBytes(old_value), valueFromBytes(new_value)];
    changes.push({ name: nameFromBytes(name), oldValue, newValue });
    origins.set(nameFromBytes(name), { version, devices });
  }
  const beside = rows.find((row) => row.beside !== null)?.beside ?? undefined;
  return changesOf(first, since, first, { changes, origins, beside });
}

function changesOf(
  { head, digest, digest_key: digestKey, base, replicated, timeline }: ChangesHeader,
  since: Version,
  { entries, settled, writers }: LogEntries,
  { changes, origins, beside }: { changes: RefChange[]; origins: Map<RefName, Origin>; beside?: BesideDocument },
): ChangesSince {
  const dense = entries === (head > since ? head - since : 0n);
  return {
    head,
    digest,
    digestKey,
    base,
    changes: dense ? changes : null,
    origins,
    settled: settled ?? false,
    replicated,
    timeline,
    writers: writers ?? [],
    beside: beside && besideOf(beside),
  };
}

/** A version that an operator appended, and the values that it replaced. */
export interface Settlement {
  readonly version: Version;
  readonly givenUp: Refs;
}

/** Returns the operator's versions above `since`, oldest first. */
export async function readSettlements(db: Database, repositoryId: string, since: Version): Promise<Settlement[]> {
  const rows = await queryRepeatable<{ version: bigint; name: Buffer | null; old_value: Buffer | null }>(
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

/**
 * Returns the digest of the refs at `version`, or undefined when the log does not hold that version (any more). Throws
 * REPOSITORY_NOT_FOUND.
 */
export async function readDigest(db: Database, repositoryId: string, version: Version): Promise<Buffer | undefined> {
  const [row] = await queryRepeatable<{ head_version: bigint; head_digest: Buffer; digest: Buffer | null }>(
    db.work,
    `select r.head_version, r.head_digest, l.digest from lockstep.repository r
     left join lockstep.ref_log l on l.repository_id = r.id and l.version = $2 where r.id = $1`,
    [repositoryId, version],
  );
  if (row === undefined) throw goneError(repositoryId);
  return version === row.head_version ? row.head_digest : (row.digest ?? undefined);
}

/** Makes REPOSITORY_NOT_FOUND for a repository that was there when the work began. */
export function goneError(repositoryId: string): LockstepError {
  return new LockstepError("REPOSITORY_NOT_FOUND", "The repository was removed meanwhile.", {
    details: { id: repositoryId },
  });
}
