// Compares what disks hold with the log. A version has one digest for ever. If a disk has another one, the database
// lost writes: it failed over to a standby that lagged, or an operator restored a backup.
import type { Incarnation, Version } from "../../domain.ts";
import { type Database, queryRepeatable, queryRepeatableRow } from "../database/database.ts";

/** The version of a repository that a disk holds. */
export interface HeldVersion {
  readonly repositoryId: string;
  readonly version: Version;
  /** Hex. */
  readonly digest: string;
}

/**
 * How a version on a disk stands to the log.
 * - "ahead": it is above the head.
 * - "diverged": the log has other refs at that version.
 * - "settled": it was ahead or diverged, and an operator has decided.
 * - "trimmed": the log had that version and has been trimmed since. Nobody can tell whether it had these refs.
 * - "unknown": the log has never had that version.
 */
export type Standing = "same" | "ahead" | "diverged" | "settled" | "trimmed" | "unknown";

/** Returns the standing of each repository by its id. Repositories that are gone are absent. */
export async function readStandings(
  db: Database,
  held: readonly HeldVersion[],
): Promise<Map<string, { standing: Standing; head: Version }>> {
  const rows = await queryRepeatable<{ repository_id: string; head: bigint; standing: Standing }>(
    db.work,
    "select * from lockstep.standing($1::uuid[], $2::bigint[], $3::bytea[])",
    [
      held.map(({ repositoryId }) => repositoryId),
      held.map(({ version }) => version),
      held.map(({ digest }) => Buffer.from(digest, "hex")),
    ],
  );
  return new Map(rows.map(({ repository_id, head, standing }) => [repository_id, { standing, head }]));
}

/**
 * Stops reads and writes of a repository on all devices, with that reason, until an operator has decided. Idempotent.
 * Returns false, and stops nothing, if the log has what this device holds. Then the device had compared its disk with
 * another server.
 */
export async function stopRepository(
  db: Database,
  me: Incarnation,
  { repositoryId, version, digest }: HeldVersion,
  reason: string,
): Promise<boolean> {
  const { stopped } = await queryRepeatableRow<{ stopped: boolean }>(
    db.work,
    "select lockstep.stop_repository($1, $2, $3, $4, $5, $6) as stopped",
    [repositoryId, me.device, me.fence, version, Buffer.from(digest, "hex"), reason],
  );
  return stopped;
}
