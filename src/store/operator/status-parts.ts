// Looks through the repositories a part at a time, in the order of their names. So each statement is short, however
// many repositories there are.
import type { Version } from "../../domain.ts";
import { HELD } from "../../replica-states.ts";
import { type Database, queryRepeatableRow } from "../database/database.ts";
import { epochMs } from "../database/instant.ts";

/** How a repository stands, as `lockstep status` has it, and its last write. */
export interface RepositoryStatus {
  readonly repository: string;
  readonly head: Version;
  readonly behind: string[];
  readonly broken: string[];
  readonly leaders: string[];
  /** Fewer than two devices that stay have the head, and no operator wanted it on one device. */
  readonly unsafe: boolean;
  readonly writing: boolean;
  readonly writesStopped: boolean;
  /** Why nobody may use the repository until an operator has decided. null: it may be used. */
  readonly stopped: string | null;
  /** Who made the newest version. null: nobody has pushed yet, or the log does not have that version any more. */
  readonly author: string | null;
  readonly landedAt: Date | null;
}

/** SQL: the device of a replica shall hold the repository. */
const WANTED = "(d.draining_since is null and (r.placement is null or p.device = any(r.placement)))";

/** SQL columns about the replicas "p" of a repository "r", with their devices "d". */
const REPLICA_COLUMNS = `coalesce(array_agg(p.device order by p.device) filter (where ${WANTED} and p.state in ('pending', 'active') and (p.version < r.head_version or p.state = 'pending')), '{}') as behind,
         coalesce(array_agg(p.device order by p.device) filter (where ${WANTED} and p.state = 'broken'), '{}') as broken,
         coalesce(array_agg(p.device order by p.device) filter (where p.state = 'active' and p.version >= r.head_version), '{}') as leaders,
         count(*) filter (where ${WANTED} and p.state = 'active' and p.version >= r.head_version) as safe`;

/** SQL: how many devices that stay must have the head of a repository "r": two, or one if it shall be on one only. */
const ENOUGH = `case when (case when r.placement is null then (select count(*) from lockstep.device where removed_at is null)
      else (select count(*) from lockstep.device m where m.name = any(r.placement) and m.removed_at is null) end) < 2 then 1 else 2 end`;

/** SQL columns about the writes to a repository "r". */
const WRITE_COLUMNS = `exists (select from lockstep.write w where w.repository_id = r.id and w.status = 'staged') as writing,
         exists (select from lockstep.write_stop l where l.repository_id = r.id) as "writesStopped"`;

/** SQL: a row with those columns is not at rest. */
const NOT_AT_REST = `(behind <> '{}' or broken <> '{}' or safe < enough or writing or "writesStopped" or stopped is not null)`;

export interface StatusPartRequest {
  /** Only repositories behind this name. Empty: from the first one. */
  readonly after: string;
  /** How many repositories are looked at. */
  readonly look: number;
  /** Only names that contain this text; upper and lower case are the same. Empty: all. */
  readonly contains?: string;
  /** How many of those are returned at most. */
  readonly limit: number;
  /** True: only those that are not at rest. */
  readonly restless?: boolean;
}

export interface StatusPart {
  /** By name. */
  readonly repositories: readonly RepositoryStatus[];
  readonly looked: number;
  /** The name of the last repository that was looked at. null: there was none. */
  readonly last: string | null;
}

/** Times travel as numbers, and versions as text. */
type Row = Omit<RepositoryStatus, "head" | "landedAt"> & { readonly head: string; readonly landedAt: number | null };

/** Looks at the next repositories and returns those that were asked for. */
export async function readStatusPart(db: Database, request: StatusPartRequest): Promise<StatusPart> {
  const { after, look, contains = "", limit, restless = false } = request;
  const part = await queryRepeatableRow<{ looked: number; last: string | null; repositories: Row[] }>(
    db.work,
    // PostgreSQL assumes that nearly all rows meet the condition on the name, so it follows the index.
    // `offset 0` keeps PostgreSQL from a join, for which it may read all replicas.
    `with part as materialized (
       select id, name, head_version, stopped, placement, removed_at from lockstep.repository
       where name > $1 and name not like '.removed/%' order by name limit $2),
     found as materialized (
       select * from part where removed_at is null and ($3::text = '' or position($3 in lower(name)) > 0)
       order by name limit $4),
     looked_at as materialized (
       select r.id, r.name as repository, r.head_version as head, r.stopped, s.*, ${ENOUGH} as enough,
         ${WRITE_COLUMNS}
       from found r cross join lateral (
         select ${REPLICA_COLUMNS}
         from lockstep.replica p join lockstep.device d on d.name = p.device and d.removed_at is null
         where p.repository_id = r.id and p.state in ${HELD} offset 0) s)
     select (select count(*)::int from part) as looked, (select name from part order by name desc limit 1) as last,
       coalesce((select json_agg(json_build_object('repository', repository, 'head', head::text, 'stopped', stopped,
           'behind', behind, 'broken', broken, 'leaders', leaders, 'unsafe', safe < enough, 'writing', writing,
           'writesStopped', "writesStopped", 'author', l.author, 'landedAt', l.landed_at) order by repository)
         from looked_at t left join lateral (
           select author, ${epochMs("landed_at")} as landed_at from lockstep.ref_log e
           where e.repository_id = t.id and e.version = t.head offset 0) l on true
         where not $5 or ${NOT_AT_REST}), '[]') as repositories`,
    [after, look, contains.toLowerCase(), limit, restless],
    { provesNothing: true },
  );
  return { ...part, repositories: part.repositories.map(statusOf) };
}

function statusOf({ head, landedAt, ...row }: Row): RepositoryStatus & { head: Version } {
  return { ...row, head: BigInt(head), landedAt: landedAt === null ? null : new Date(landedAt) };
}
