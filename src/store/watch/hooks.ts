// Webhooks. One incarnation of a device delivers the events of a hook. Each change of a hook's progress names that
// incarnation, and the caller learns whether the row was changed.
import pg from "pg";
import type { Incarnation } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { type Database, queryOnceRow, queryRepeatable } from "../database/database.ts";
import { dated, epochMs } from "../database/instant.ts";

export interface Hook {
  readonly id: string;
  readonly url: string;
  readonly repositories: string[];
  readonly visible: "landed" | "everywhere";
  readonly author: string;
  readonly createdAt: Date;
  /** The live device that delivers its events. null: none does. */
  readonly device: string | null;
  readonly delivered: bigint;
  readonly deliveredAt: Date | null;
  /** Attempts to deliver the next event that have failed. */
  readonly attempts: number;
  readonly nextAttemptAt: Date | null;
  readonly lastError: string | null;
  readonly missedAt: Date | null;
  readonly cursor: string;
}

/** What a device needs to deliver the events of a hook. */
export interface ClaimedHook extends Pick<Hook, "id" | "url" | "repositories" | "visible" | "cursor" | "delivered"> {
  readonly secret: string;
  readonly attempts: number;
  /** How long to wait before the next attempt. */
  readonly waitMs: number;
}

const UNIQUE_VIOLATION = "23505";
const HOOKS_LIMIT = 100;

const COLUMNS = `h.id, h.url, h.repositories, h.visible, h.author, ${epochMs("h.created_at")} as "createdAt",
  (select d.name from lockstep.device d where d.name = h.device and d.fence = h.fence and d.expires_at > clock_timestamp()) as device,
  h.delivered, ${epochMs("h.delivered_at")} as "deliveredAt", h.attempts, ${epochMs("h.next_attempt_at")} as "nextAttemptAt",
  h.last_error as "lastError", ${epochMs("h.missed_at")} as "missedAt", h.cursor`;

function hookOf(row: pg.QueryResultRow): Hook {
  return dated<Hook>(row, "createdAt", "deliveredAt", "nextAttemptAt", "missedAt");
}

/** Adds a hook, whose first event is the one after `cursor`. Throws HOOK_EXISTS, INVALID_REQUEST. */
export async function insertHook(
  db: Database,
  hook: Pick<Hook, "id" | "url" | "repositories" | "visible" | "author" | "cursor"> & { secret: string },
): Promise<Hook> {
  try {
    const row = await queryOnceRow<{ added: boolean }>(
      db.work,
      "select lockstep.add_hook($1, $2, $3, $4, $5, $6, $7, $8) as added",
      [hook.id, hook.url, hook.repositories, hook.visible, hook.secret, hook.author, hook.cursor, HOOKS_LIMIT],
    );
    if (!row.added)
      throw new LockstepError(
        "INVALID_REQUEST",
        `There are ${HOOKS_LIMIT} hooks already, which is the limit; remove one, or have one receiver pass events on.`,
      );
  } catch (error) {
    if (!(error instanceof pg.DatabaseError && error.code === UNIQUE_VIOLATION)) throw error;
    throw new LockstepError(
      "HOOK_EXISTS",
      "A hook with this URL exists already; remove it first, or add a part to the URL that your receiver ignores.",
      { cause: error },
    );
  }
  return await findHook(db, hook.id);
}

/** Returns all hooks, the oldest first. */
export async function listHooks(db: Database): Promise<Hook[]> {
  const rows = await queryRepeatable(db.work, `select ${COLUMNS} from lockstep.hook h order by h.created_at, h.id`);
  return rows.map(hookOf);
}

/** Returns the hook with that id or URL. Throws HOOK_NOT_FOUND. */
export async function findHook(db: Database, hook: string): Promise<Hook> {
  const [row] = await queryRepeatable(
    db.work,
    `select ${COLUMNS} from lockstep.hook h where h.id::text = $1 or h.url = $1`,
    [hook],
  );
  if (row !== undefined) return hookOf(row);
  throw new LockstepError("HOOK_NOT_FOUND", "There is no hook with this id or URL; `lockstep hook list` shows them.");
}

/** Removes a hook, if it is there. */
export async function deleteHook(db: Database, id: string, author: string): Promise<void> {
  await queryRepeatable(db.work, "select lockstep.remove_hook($1, $2)", [id, author]);
}

/**
 * Takes the hooks that no live incarnation has, and returns all hooks of this one. Returns none once another
 * incarnation has the device.
 */
export async function claimHooks(db: Database, me: Incarnation): Promise<ClaimedHook[]> {
  return await queryRepeatable<ClaimedHook & { [column: string]: unknown }>(
    db.work,
    `select id, url, repositories, visible, secret, cursor, delivered, attempts, wait_ms as "waitMs"
     from lockstep.claim_hooks($1, $2)`,
    [me.device, me.fence],
  );
}

/** The state of a hook after an attempt. `before`: the cursor that the row has if nobody else has changed it. */
export interface HookProgress {
  readonly before: string;
  readonly cursor: string;
  readonly delivered: bigint;
  /** The event at `cursor` was delivered just now. */
  readonly isDelivery: boolean;
  /** Events before `cursor` were gone from the log. */
  readonly missed: boolean;
}

/** Records that everything up to a cursor was delivered. Returns false if this incarnation no longer has the hook. */
export async function recordHookProgress(
  db: Database,
  me: Incarnation,
  id: string,
  { before, cursor, delivered, isDelivery, missed }: HookProgress,
): Promise<boolean> {
  const rows = await queryRepeatable(
    db.work,
    // Repeatable, and a repetition that comes late does not put the cursor back.
    `update lockstep.hook set cursor = $5, delivered = $6,
       delivered_at = case when $7 then clock_timestamp() else delivered_at end,
       missed_at = case when $8 then clock_timestamp() else missed_at end,
       attempts = 0, next_attempt_at = null, last_error = null
     where id = $1 and device = $2 and fence = $3 and cursor in ($4, $5) returning 1`,
    [id, me.device, me.fence, before, cursor, delivered, isDelivery, missed],
  );
  return rows.length === 1;
}

/** Records that an attempt failed. Returns false if this incarnation no longer has the hook. */
export async function recordHookFailure(
  db: Database,
  me: Incarnation,
  id: string,
  { cursor, attempts, waitMs, error }: { cursor: string; attempts: number; waitMs: number; error: string },
): Promise<boolean> {
  const rows = await queryRepeatable(
    db.work,
    `update lockstep.hook set attempts = $5, last_error = $7,
       next_attempt_at = clock_timestamp() + $6::int * interval '1 millisecond'
     where id = $1 and device = $2 and fence = $3 and cursor = $4 returning 1`,
    [id, me.device, me.fence, cursor, attempts, waitMs, error],
  );
  return rows.length === 1;
}
