// Which devices hold what: the devices of a repository, and the replicas of a device that joins.
import { type Incarnation, ZERO_UUID } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { HELD } from "../../replica-states.ts";
import { type Database, queryRepeatable, queryRepeatableRow } from "../database/database.ts";

/** The devices that shall hold a repository. null: all devices, also those that join later. */
export type Placement = readonly string[] | null;

/** Sorts before every repository id. */
const FIRST = ZERO_UUID;

/**
 * Makes pending replicas on this device, which is new, of the repositories that are on all devices: of the next `limit`
 * ones after `after`. `last`: where the next call begins; undefined: the device has all of them. The locks last for one
 * call. May be repeated.
 */
export async function placeReplicas(
  db: Database,
  me: Incarnation,
  { after = FIRST, limit }: { after: string | undefined; limit: number },
): Promise<{ last: string | undefined; made: number }> {
  const { last, made } = await queryRepeatableRow<{ last: string | null; made: number }>(
    db.work,
    "select last, made from lockstep.place_replicas($1, $2, $3, $4)",
    [me.device, me.fence, after, limit],
  );
  return { last: last ?? undefined, made };
}

/** Returns whether the device still lacks the rows of replicas that it shall have. */
export async function isUnplaced(db: Database, device: string): Promise<boolean> {
  const rows = await queryRepeatable(
    db.work,
    "select from lockstep.device where name = $1 and not placed and draining_since is null and removed_at is null",
    [device],
  );
  return rows.length > 0;
}

/** Returns the live devices that have a repository: those at the head first, then by name. */
async function devicesWith(db: Database, repository: string): Promise<string[]> {
  const rows = await queryRepeatable<{ device: string }>(
    db.work,
    `select p.device from lockstep.repository r
       join lockstep.replica p on p.repository_id = r.id and p.state = 'active'
       join lockstep.device d on d.name = p.device and d.removed_at is null and d.expires_at > clock_timestamp()
     where r.name = $1 order by p.version < r.head_version, p.device`,
    [repository],
  );
  return rows.map(({ device }) => device);
}

/** Returns the live devices that take writes to a repository, by name. */
export async function devicesThatWrite(db: Database, repository: string): Promise<string[]> {
  const rows = await queryRepeatable<{ device: string }>(
    db.work,
    `select p.device from lockstep.repository r
       join lockstep.replica p on p.repository_id = r.id and p.state in ${HELD}
       join lockstep.device d on d.name = p.device and d.removed_at is null and d.expires_at > clock_timestamp()
     where r.name = $1 and d.writes and d.draining_since is null and d.revoked_at is null order by p.device`,
    [repository],
  );
  return rows.map(({ device }) => device);
}

/** Returns on how many devices a repository shall be that were not removed. */
export async function countPlaces(db: Database, repositoryId: string): Promise<number> {
  const [row] = await queryRepeatable<{ places: number }>(
    db.work,
    `select count(*)::int4 as places from lockstep.repository r
       join lockstep.device d on d.removed_at is null and (r.placement is null or d.name = any(r.placement))
     where r.id = $1`,
    [repositoryId],
  );
  return row?.places ?? 0;
}

/** Why a device takes no writes. */
export type NoWrites = "drains" | "no_writes" | "revoked";

const WHY_NO_WRITES = {
  drains: "drains",
  no_writes: "only serves reads",
  revoked: "has no trusted key",
} as const satisfies Record<NoWrites, string>;

/** Makes the error WRITES_ELSEWHERE: this device takes no writes. Names the devices that take them. */
export async function writesElsewhereError(
  db: Database,
  { device, repository, noWrites }: { device: string; repository: string; noWrites: NoWrites | null },
): Promise<LockstepError> {
  const takers = await devicesThatWrite(db, repository);
  const why = noWrites === null ? "is revoked, drains or only serves reads" : WHY_NO_WRITES[noWrites];
  const what = takers.length === 0 ? "no other device takes them now, try again later" : `use ${oneOf(takers)}`;
  return new LockstepError(
    "WRITES_ELSEWHERE",
    `Device ${device} takes no writes to ${repository}, because it ${why}; nothing was written, ${what}.`,
    { details: { device, repository, devices: takers.join(" ") } },
  );
}

const NAMED = 5;

/** Returns "a", "a or b", "a, b or c". Names five devices at most. */
function oneOf(devices: readonly string[]): string {
  const named = devices.slice(0, NAMED);
  return named.length < 2 ? named.join("") : `${named.slice(0, -1).join(", ")} or ${named.at(-1)}`;
}

/** Makes the error REPLICA_NOT_FOUND: the replica is not on this device, or not yet. Names devices that have it. */
export async function replicaElsewhereError(
  db: Database,
  { device, repository, coming }: { device: string; repository: string; coming: boolean },
): Promise<LockstepError> {
  const holders = (await devicesWith(db, repository)).filter((holder) => holder !== device);
  const what =
    holders.length === 0
      ? `\`lockstep repo show ${repository}\` lists the devices that have it`
      : `use ${oneOf(holders)}`;
  return new LockstepError(
    "REPLICA_NOT_FOUND",
    coming
      ? `Device ${device} does not have ${repository} yet, it is still copying it; ${what}, or try again later.`
      : `Device ${device} has no replica of ${repository}; ${what}.`,
    { details: { device, repository, devices: holders.join(" ") } },
  );
}
