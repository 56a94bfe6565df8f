// Landed versions of all repositories, in the order of their positions, for those who watch the cluster.
import type { Version } from "../../domain.ts";
import { type Database, queryRepeatable, queryRepeatableRow } from "../database/database.ts";
import { ENTRY_COLUMNS, type EntryRow, entryOf, type LogEntry } from "../log/list-log.ts";
import { REPLICATED } from "../log/read-pages.ts";
import type { Position } from "./log-tail.ts";

export interface Landed {
  readonly position: Position;
  readonly repositoryId: string;
  /** The name that the repository has now, or had when it was removed. */
  readonly repository: string;
  /** Every live device that has a replica of the repository holds this version. */
  readonly everywhere: boolean;
  readonly entry: LogEntry;
}

/** From which server something was read, and whether commits wait for a standby there. */
export interface ReadFrom {
  readonly replicated: boolean;
  readonly timeline: string | null;
}

/** A repository whose versions from `version` on have not been told, although later ones of others have. */
export interface HeldRepository {
  readonly repositoryId: string;
  readonly version: Version;
  /** The position of that version. */
  readonly position: Position;
}

type LandedRow = EntryRow & { position: bigint; repository_id: string; repository: string; everywhere: boolean };

/**
 * SQL: no live replica lacks version "l". A broken replica serves nobody, so it does not count. Nor does a device that
 * is away: before it serves a read it catches up.
 */
const EVERYWHERE = `not exists (
  select from lockstep.replica p join lockstep.device d on d.name = p.device
  where p.repository_id = l.repository_id and p.version < l.version and p.state in ('pending', 'active')
    and d.expires_at > clock_timestamp() and d.removed_at is null) as everywhere`;

/**
 * SQL: the name of repository "r", or the one that it had when it was removed. Its versions are told then too: it may
 * be restored, and nobody looks at a position twice.
 */
const NAME = "coalesce(r.removed_name, r.name)";

/** SQL: the name of repository "r" matches one of the patterns $1, if there are any. */
const MATCHES = `($1::text[] = '{}' or ${NAME} like any($1))`;

/**
 * SQL: the last position after $2 up to which the log of a matching repository was trimmed. Its order makes PostgreSQL
 * use the index, also without statistics.
 */
const TRIMMED = `select t.position from lockstep.log_trimmed t
  cross join lateral (select * from lockstep.repository r where r.id = t.repository_id offset 0) r
  where t.position > $2 and ${MATCHES} order by t.position desc limit 1`;

/**
 * Returns the versions after `after` and up to `until` whose repository matches, at most `limit`, from a page of `page`
 * rows of the log. `last`: how far the page went. `trimmed`: versions after `after` are not in the log any more. A
 * pattern is one of LIKE.
 */
export async function readLanded(
  db: Database,
  patterns: readonly string[],
  { after, until, page, limit }: { after: Position; until: Position; page: number; limit: number },
): Promise<{ landed: Landed[]; last: Position; trimmed: boolean } & ReadFrom> {
  const rows = await queryRepeatable<LandedRow & ReadFrom & { last: bigint | null; trimmed: boolean }>(
    db.work,
    // The cost follows the page. `offset 0` keeps PostgreSQL from a join, for which it may read all repositories.
    `with page as materialized (
       select l.* from lockstep.ref_log l where l.position > $2 and l.position <= $3 order by l.position limit $4),
     found as materialized (
       select l.*, ${NAME} as repository from page l cross join lateral (
         select * from lockstep.repository r where r.id = l.repository_id offset 0) r
       where ${MATCHES} order by l.position limit $5)
     select p.last, (${TRIMMED}) is not null as trimmed, ${REPLICATED},
       l.position, l.repository_id, l.repository, ${EVERYWHERE}, ${ENTRY_COLUMNS}
     from (select max(position) as last from page) p left join found l on true order by l.position`,
    [patterns, after, until, page, limit],
    { provesNothing: true },
  );
  const [{ last = null, trimmed = false, replicated = false, timeline = null } = {}] = rows;
  const landed = rows.filter(({ position }) => position !== null).map(landedOf);
  const end = landed.length === limit ? landed.at(-1)?.position : undefined;
  // Where the page is empty, no position up to `until` will ever have a row.
  return { landed, last: end ?? last ?? until, trimmed, replicated, timeline };
}

/**
 * Returns the untold versions up to `until` of each held repository that exists, in order, at most `limit` for each.
 * `trimmed`: some of them are not in the log any more.
 */
export async function readHeld(
  db: Database,
  held: readonly HeldRepository[],
  { until, limit }: { until: Position; limit: number },
): Promise<{ landed: Landed[]; trimmed: boolean } & ReadFrom> {
  const rows = await queryRepeatable<LandedRow & ReadFrom & { trimmed: boolean }>(
    db.work,
    `select coalesce(t.position >= h.position, false) as trimmed, ${REPLICATED},
       l.position, l.repository_id, ${NAME} as repository, ${EVERYWHERE}, ${ENTRY_COLUMNS}
     -- A row at least, also where no repository is there any more.
     from (values (1)) answer left join (
       unnest($1::uuid[], $2::bigint[], $3::bigint[]) with ordinality h (id, version, position, place)
       join lockstep.repository r on r.id = h.id
       left join lockstep.log_trimmed t on t.repository_id = h.id
       left join lateral (
         select * from lockstep.ref_log l
         where l.repository_id = h.id and l.version >= h.version and l.position <= $4 order by l.version limit $5) l on true
     ) on true
     order by h.place, l.version`,
    [
      held.map(({ repositoryId }) => repositoryId),
      held.map(({ version }) => version),
      held.map(({ position }) => position),
      until,
      limit,
    ],
    { provesNothing: true },
  );
  const [{ replicated = false, timeline = null } = {}] = rows;
  const landed = rows.filter(({ position }) => position !== null).map(landedOf);
  return { landed, trimmed: rows.some((row) => row.trimmed), replicated, timeline };
}

/** Returns the repositories of the versions at these positions. Positions whose row is gone are absent. */
export async function findHeld(db: Database, positions: readonly Position[]): Promise<HeldRepository[]> {
  return await queryRepeatable<HeldRepository & { [column: string]: unknown }>(
    db.work,
    `select l.repository_id as "repositoryId", l.version, l.position from lockstep.ref_log l
     where l.position = any($1::bigint[]) order by l.position`,
    [positions],
  );
}

/**
 * Returns up to which position the logs of matching repositories were trimmed, if that is after `after`. 0: after that
 * they are whole.
 */
export async function trimmedUpTo(db: Database, patterns: readonly string[], after: Position): Promise<Position> {
  const { position } = await queryRepeatableRow<{ position: bigint }>(
    db.work,
    `select coalesce((${TRIMMED}), 0) as position`,
    [patterns, after],
    { provesNothing: true },
  );
  return position;
}

function landedOf(row: LandedRow): Landed {
  const { position, repository_id: repositoryId, repository, everywhere } = row;
  return { position, repositoryId, repository, everywhere, entry: entryOf(row) };
}
