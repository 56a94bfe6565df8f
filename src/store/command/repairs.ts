// Finds this device's replicas that need work (migrations/functions/enqueue_repairs.sql).
import { type Incarnation, ZERO_UUID } from "../../domain.ts";
import { type Database, queryRepeatableRow } from "../database/database.ts";
import { REST_S } from "./commands.ts";

/** Sorts before every repository id. */
export const FIRST_REPOSITORY = ZERO_UUID;

export interface RepairSearch {
  /** True: look at all replicas, not only at a page and at those whose repositories were pushed to. */
  readonly everything: boolean;
  /** Look at the repositories that were pushed to after the first and up to the second position of the log. */
  readonly positions: readonly [after: bigint, upto: bigint];
  /** Look at so many replicas after this repository, too. */
  readonly page: { readonly after: string; readonly size: number };
  /** So many commands of this device may be open. */
  readonly room: number;
}

export interface RepairsFound {
  /** How many commands were enqueued, or joined. null: another incarnation has the device. */
  readonly enqueued: number;
  /** False: there was no room for more commands, so more may be found. */
  readonly roomLeft: boolean;
  /** The newest position of the log. null: the log is empty. */
  readonly newest: bigint | null;
  /** Where the next page begins. null: this was the last one. */
  readonly pageLast: string | null;
}

/** Enqueues a command for each replica of this device that needs work. May be repeated. */
export async function enqueueRepairs(db: Database, me: Incarnation, search: RepairSearch): Promise<RepairsFound> {
  return await queryRepeatableRow<RepairsFound & { [column: string]: unknown }>(
    db.work,
    `select enqueued, room_left as "roomLeft", newest, page_last as "pageLast"
     from lockstep.enqueue_repairs($1, $2, $3, $4, $5, $6, $7, $8, make_interval(secs => $9))`,
    [
      me.device,
      me.fence,
      search.everything,
      ...search.positions,
      search.page.after,
      search.page.size,
      search.room,
      REST_S,
    ],
  );
}
