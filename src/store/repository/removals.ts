// Repositories that were removed: out of service at once, restored if somebody asks in time, deleted afterwards.
import type { Incarnation, Version } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { type Database, queryRepeatable, queryRepeatableRow } from "../database/database.ts";
import { dated, epochMs } from "../database/instant.ts";

export interface RemovedRepository {
  readonly id: string;
  /** The name that it had. */
  readonly name: string;
  readonly headVersion: Version;
  readonly removedAt: Date;
  readonly keepUntil: Date;
  /** It can be restored. False: its time is over, and its files and rows are being deleted. */
  readonly restorable: boolean;
  /** Devices that have not moved their files aside yet. */
  readonly waitsFor: readonly string[];
}

const SELECT_REMOVED = `select r.id, r.removed_name as name, r.head_version as "headVersion",
  ${epochMs("r.removed_at")} as "removedAt", ${epochMs("r.keep_until")} as "keepUntil",
  r.keep_until > clock_timestamp() as restorable,
  array(select p.device from lockstep.replica p
    where p.repository_id = r.id and (p.state in ('pending', 'active', 'broken') or p.places <> '{}') order by p.device) as "waitsFor"
  from lockstep.repository r where r.removed_at is not null`;

function removedOf(row: { readonly [column: string]: unknown }): RemovedRepository {
  return dated<RemovedRepository>(row, "removedAt", "keepUntil");
}

/** Returns the removed repositories by former name, newest removal first; at most `limit`. */
export async function listRemoved(db: Database, limit: number): Promise<RemovedRepository[]> {
  const text = `${SELECT_REMOVED} order by r.removed_name, r.removed_at desc limit $1`;
  return (await queryRepeatable(db.work, text, [limit])).map(removedOf);
}

/** Returns the removed repository of that former name that was removed last. undefined: there is none. */
export async function newestRemoval(db: Database, name: string): Promise<RemovedRepository | undefined> {
  const text = `${SELECT_REMOVED} and r.removed_name = $1 order by r.removed_at desc limit 1`;
  const [row] = await queryRepeatable(db.work, text, [name]);
  return row && removedOf(row);
}

/** Returns the removed repository of that id. undefined: there is none. */
export async function removalOf(db: Database, id: string): Promise<RemovedRepository | undefined> {
  const [row] = await queryRepeatable(db.work, `${SELECT_REMOVED} and r.id = $1`, [id]);
  return row && removedOf(row);
}

/** Makes the error REPOSITORY_NOT_FOUND: the repository was removed. */
export function removedError(name: string, removal: RemovedRepository): LockstepError {
  const at = removal.removedAt.toISOString();
  const until = removal.keepUntil.toISOString();
  const what = removal.restorable
    ? `\`lockstep repo restore ${removal.name}\` brings it back until ${until}`
    : "it cannot be restored any more";
  return new LockstepError("REPOSITORY_NOT_FOUND", `The repository ${name} was removed at ${at}; ${what}.`, {
    details: { repository: name, removed_at: at, keep_until: until, repository_id: removal.id },
  });
}

/** `commands`: one for each of the devices. */
interface Asked {
  readonly devices: string[];
  readonly commands: string[];
}

export type Removed = (Asked & { outcome: "removed"; keep_until: Date }) | { outcome: "missing" };

/** Removes the repository of that id while it has that name. A repeated call gets the same answer. */
export async function removeRepository(
  db: Database,
  request: { id: string; name: string; author: string; reason: string; keepDays: number },
): Promise<Removed> {
  const { id, name, author, reason, keepDays } = request;
  const row = await queryRepeatableRow(
    db.work,
    `select outcome, devices, commands, ${epochMs("keep_until")} as keep_until
     from lockstep.remove_repository($1, $2, $3, $4, make_interval(days => $5))`,
    [id, name, author, reason, keepDays],
  );
  return dated<Removed & { keep_until: Date }>(row, "keep_until");
}

export type Restored = (Asked & { outcome: "restored" }) | { outcome: "missing" | "expired" | "gone" | "taken" };

/** Restores the repository of that id under that name. A repeated call gets the same answer. */
export async function restoreRepository(
  db: Database,
  request: { id: string; name: string; author: string; reason: string },
): Promise<Restored> {
  const { id, name, author, reason } = request;
  return await queryRepeatableRow<Restored & { [column: string]: unknown }>(
    db.work,
    "select outcome, devices, commands from lockstep.restore_repository($1, $2, $3, $4)",
    [id, name, author, reason],
  );
}

/** Where a replica may lie that its device gives up. */
export interface PossiblePlaces {
  /** The names at whose places it may lie. */
  readonly names: string[];
  /** Its repository was removed. */
  readonly removed: boolean;
  /** The names at whose places the files of a released copy may still lie. Empty: they were moved aside. */
  readonly unmoved: string[];
}

/** Returns where this device's replica may lie. undefined: it has none. */
export async function possiblePlaces(
  db: Database,
  device: string,
  repositoryId: string,
): Promise<PossiblePlaces | undefined> {
  const [row] = await queryRepeatable<PossiblePlaces & { [column: string]: unknown }>(
    db.work,
    `select case when r.removed_at is null then p.places || r.name else p.places end as names, r.removed_at is not null as removed,
       case when p.state in ('released', 'destroyed') then p.places else '{}' end as unmoved
     from lockstep.replica p join lockstep.repository r on r.id = p.repository_id
     where p.repository_id = $1 and p.device = $2`,
    [repositoryId, device],
  );
  return row;
}

/** Records that the files of this device's released replica lie at no place any more. */
export async function forgetPlaces(db: Database, me: Incarnation, repositoryId: string): Promise<void> {
  await queryRepeatable(
    db.work,
    `update lockstep.replica p set places = '{}' from lockstep.device d
     where d.name = $1 and d.fence = $2 and p.device = d.name and p.repository_id = $3
       and p.state in ('released', 'destroyed') and p.places <> '{}'`,
    [me.device, me.fence, repositoryId],
  );
}

/**
 * Deletes at most `limit` rows of a repository that was removed and cannot be restored. Returns how many; undefined:
 * nothing is due.
 */
export async function purgeRemoved(db: Database, limit: number): Promise<number | undefined> {
  const { deleted } = await queryRepeatableRow<{ deleted: number | null }>(
    db.work,
    "select lockstep.purge_removed($1) as deleted",
    [limit],
  );
  return deleted ?? undefined;
}
