// How what disks hold stands to the log. A version has one digest for ever, so another one on a disk means that the database lost
// writes: a fail-over to a standby that lagged, or a backup.
import type { Incarnation, Version } from "../domain.ts";
import { ask, askOne, type Database } from "./database/database.ts";

/** What a disk holds of a repository. */
export interface Held {
  readonly repositoryId: string;
  readonly version: Version;
  /** Hex. */
  readonly digest: string;
}

/**
 * "ahead": of the head. "diverged": the log has other refs at that version. "settled": so it was, and an operator has decided.
 * "unknown": the log does not reach back so far.
 */
export type Standing = "same" | "ahead" | "diverged" | "settled" | "unknown";

/** By repository; those that are gone are absent. */
export async function readStandings(
  db: Database,
  held: readonly Held[],
): Promise<Map<string, { standing: Standing; head: Version }>> {
  const rows = await ask<{ repository_id: string; head: bigint; standing: Standing }>(
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
 * Stops reads and writes of a repository on all devices, with that reason, until an operator has decided. Idempotent. False: the log has
 * what this device holds, so nothing was stopped; it was compared with another server.
 */
export async function stopRepository(
  db: Database,
  me: Incarnation,
  { repositoryId, version, digest }: Held,
  reason: string,
): Promise<boolean> {
  const { stopped } = await askOne<{ stopped: boolean }>(
    db.work,
    "select lockstep.stop_repository($1, $2, $3, $4, $5, $6) as stopped",
    [repositoryId, me.device, me.fence, version, Buffer.from(digest, "hex"), reason],
  );
  return stopped;
}
