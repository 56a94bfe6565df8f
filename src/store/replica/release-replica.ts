// A device gives up its copy of a repository that it shall not hold any more.
import type { Incarnation } from "../../domain.ts";
import { type Database, queryRepeatableRow } from "../database/database.ts";

export interface Release {
  /** "released": now or before. "wanted": the device shall hold the repository. "needed": the others lack something. */
  readonly outcome: "released" | "wanted" | "needed" | "writing" | "stopped" | "missing" | "fenced";
  /** Devices that do not have the head yet. */
  readonly lacking: string[] | null;
  /** False if the replica was released before. */
  readonly changed: boolean;
}

/**
 * Releases this device's replica, if every device that shall hold the repository has the head, or if the repository was
 * removed. May be repeated.
 */
export async function releaseReplica(
  db: Database,
  me: Incarnation,
  repositoryId: string,
  keepDays: number,
): Promise<Release> {
  return await queryRepeatableRow<Release & { [column: string]: unknown }>(
    db.work,
    "select outcome, lacking, changed from lockstep.release_replica($1, $2, $3, make_interval(days => $4))",
    [repositoryId, me.device, me.fence, keepDays],
  );
}

/**
 * Marks this device's replica as destroyed if it was released at that time and has not come back. "destroyed": its
 * files may be freed. "early": its repository was removed and can still be restored; another command frees them. May be
 * repeated.
 */
export async function destroyReplica(
  db: Database,
  me: Incarnation,
  repositoryId: string,
  released: string,
): Promise<"destroyed" | "kept" | "early"> {
  const { outcome } = await queryRepeatableRow<{ outcome: "destroyed" | "kept" | "early" }>(
    db.work,
    "select lockstep.destroy_replica($1, $2, $3, $4) as outcome",
    [repositoryId, me.device, me.fence, released],
  );
  return outcome;
}
