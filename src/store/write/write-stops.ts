// Stops of writes, to one repository or to all. The statements that stage and land writes decide what a stop refuses
// (migrations/functions/stop_reason.sql).
import { LockstepError } from "../../errors.ts";
import { type Database, queryOnce, queryRepeatable, queryRepeatableRow } from "../database/database.ts";
import { dated, epochMs } from "../database/instant.ts";
import { missingRepositoryError } from "../repository/former-names.ts";

/** The id of a repository. null: all repositories. */
export type StopTarget = string | null;

export interface WriteStop {
  /** The name of the repository. null: all repositories. */
  readonly repository: string | null;
  readonly reason: string;
  readonly author: string;
  readonly since: Date;
  /** True when no write that began before the stop can land any more. */
  readonly includesStaged: boolean;
}

/** Returns the targets for the names of repositories. No name means all repositories. Throws REPOSITORY_NOT_FOUND. */
export async function stopTargets(db: Database, names: readonly string[]): Promise<StopTarget[]> {
  if (names.length === 0) return [null];
  const rows = await queryRepeatable<{ id: string; name: string }>(
    db.work,
    "select id, name from lockstep.repository where name = any($1) order by id",
    [names],
  );
  const missing = names.find((name) => !rows.some((row) => row.name === name));
  if (missing !== undefined) throw await missingRepositoryError(db, missing);
  return rows.map(({ id }) => id);
}

/** Refuses writes that are not staged yet. If a target is stopped already, only its reason and author change. */
export async function stopNewWrites(
  db: Database,
  targets: readonly StopTarget[],
  { author, reason }: { author: string; reason: string },
): Promise<void> {
  await queryOnce(db.work, "select lockstep.stop_new_writes($1, $2, $3)", [targets, author, reason]);
}

/** Refuses staged writes too, when they want to land. Throws WRITES_NOT_STOPPED when a stop is gone. */
export async function stopStagedWrites(db: Database, targets: readonly StopTarget[]): Promise<void> {
  const { stopped } = await queryRepeatableRow<{ stopped: number }>(
    db.work,
    "select lockstep.stop_staged_writes($1) as stopped",
    [targets],
  );
  if (stopped === targets.length) return;
  throw new LockstepError(
    "WRITES_NOT_STOPPED",
    "Somebody allowed writes again while this command waited for writes under way; see `lockstep status` and stop them again if need be.",
  );
}

/** Ends the stops, all of them or none. Throws WRITES_NOT_STOPPED when one is not there. */
export async function endWriteStops(db: Database, targets: readonly StopTarget[], author: string): Promise<void> {
  const rows = await queryOnce<{ name: string | null; stopped: boolean }>(
    db.work,
    "select name, stopped from lockstep.end_write_stops($1, $2)",
    [targets, author],
  );
  const free = rows.filter(({ stopped }) => !stopped).map(({ name }) => name ?? "all repositories");
  if (free.length === 0) return;
  throw new LockstepError(
    "WRITES_NOT_STOPPED",
    `Writes to ${free.join(", ")} are not stopped, so nothing was changed; \`lockstep status\` shows where they are.`,
  );
}

/**
 * Returns the stops that refuse writes to a repository; the reason of the first is the one that is told. Without an id:
 * all stops.
 */
export async function listWriteStops(db: Database, repositoryId?: string): Promise<WriteStop[]> {
  const rows = await queryRepeatable(
    db.work,
    `select r.name as repository, l.reason, l.author, ${epochMs("l.since")} as since, l.includes_staged as "includesStaged"
     from lockstep.write_stop l left join lockstep.repository r on r.id = l.repository_id
     where r.removed_at is null and ($1::uuid is null or l.repository_id is null or l.repository_id = $1) order by l.id`,
    [repositoryId],
  );
  return rows.map((row) => dated<WriteStop>(row, "since"));
}

/** Makes the error WRITES_STOPPED: an operator has stopped the writes of the repository. */
export function writesStoppedError(repository: string, reason: string): LockstepError {
  return new LockstepError(
    "WRITES_STOPPED",
    `Writes to ${repository} are stopped (${reason}); nothing was written, try again when they are allowed.`,
    { details: { repository, reason } },
  );
}
