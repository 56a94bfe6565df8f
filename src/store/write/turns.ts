// The turn of a repository: a queue of tickets, first come, first served. The lowest ticket that has not run out has
// the turn, and the bumps of other writes are refused. Write sessions take a ticket. So do pushes that lost several
// races, so that none waits for ever.
import type { Incarnation } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { WAITS } from "../../waits.ts";
import { type Database, queryRepeatable, queryRepeatableRow } from "../database/database.ts";
import { dated, epochMs, intervalMs } from "../database/instant.ts";

export interface TicketRequest {
  readonly repositoryId: string;
  /** The id of the ticket. For a session it is that of its write. A push has an id of its own for all its attempts. */
  readonly writeId: string;
  readonly author: string;
  readonly reason: string;
  /** The role and name that a session belongs to. Absent for a push. */
  readonly caller?: string;
}

/** Takes or renews a ticket and returns whether it has the turn. Throws IdInUse. */
export async function takeTurn(db: Database, me: Incarnation, request: TicketRequest): Promise<boolean> {
  const { writeId, repositoryId, author, reason, caller = null } = request;
  const { outcome } = await queryRepeatableRow<{ outcome: "first" | "waiting" | "used" }>(
    db.work,
    "select lockstep.take_turn($1, $2, $3, $4, $5, $6, $7::int * interval '1 millisecond', $8) as outcome",
    [writeId, repositoryId, me.device, me.fence, author, reason, WAITS.turnMs, caller],
  );
  if (outcome === "used") throw new IdInUse();
  return outcome === "first";
}

/** The write id that a caller chose belongs to another write. */
export class IdInUse extends LockstepError {
  constructor() {
    super(
      "INVALID_REQUEST",
      "The id is that of a write that is over, or of another caller or device; choose a new one.",
    );
  }
}

/** Extends the tickets of this device that have not run out, all in one statement. */
export async function renewTickets(db: Database, me: Incarnation, writeIds: readonly string[]): Promise<void> {
  await queryRepeatable(
    db.work,
    // In the order of tickets, like every statement that locks several.
    `with mine as (
       select t.repository_id, t.ticket from lockstep.turn t join lockstep.device d on d.name = t.device
       where t.write_id = any($1::uuid[]) and d.name = $2 and d.fence = $3 and t.expires_at > clock_timestamp()
       order by t.ticket for update of t)
     update lockstep.turn t set expires_at = clock_timestamp() + $4::int * interval '1 millisecond'
     from mine where t.repository_id = mine.repository_id and t.ticket = mine.ticket`,
    [writeIds, me.device, me.fence, WAITS.turnMs],
  );
}

/**
 * Returns for each of these tickets the ticket that has the turn of its repository; it may be the ticket itself.
 * Tickets that have run out are absent. Changes nothing.
 */
export async function readTurns(db: Database, writeIds: readonly string[]): Promise<Map<string, string>> {
  const rows = await queryRepeatable<{ ticket: string; holder: string }>(
    db.work,
    `select t.write_id as ticket, lockstep.turn_holder(t.repository_id) as holder from lockstep.turn t
     where t.write_id = any($1::uuid[]) and t.expires_at > clock_timestamp()`,
    [writeIds],
  );
  return new Map(rows.map(({ ticket, holder }) => [ticket, holder]));
}

/**
 * Deletes a ticket and returns whether it was still there. A bump that lands deletes the ticket of its write itself.
 */
export async function leaveTurn(db: Database, writeId: string): Promise<boolean> {
  return (
    (await queryRepeatable(db.work, "delete from lockstep.turn where write_id = $1 returning 1", [writeId])).length > 0
  );
}

export interface TurnHolder {
  readonly writeId: string;
  readonly device: string;
  readonly author: string;
  readonly reason: string;
  readonly since: Date;
}

/** Returns the ticket that has the turn of the repository, or undefined. */
export async function turnHolder(db: Database, repositoryId: string): Promise<TurnHolder | undefined> {
  const [row] = await queryRepeatable(
    db.work,
    `select write_id as "writeId", device, author, reason, ${epochMs("since")} as since from lockstep.turn
     where repository_id = $1 and expires_at > clock_timestamp() order by ticket limit 1`,
    [repositoryId],
  );
  return row && dated<TurnHolder>(row, "since");
}

export interface QueuedTicket extends TurnHolder {
  /** By the database's clock. */
  readonly waitedMs: number;
}

/** Returns the tickets of the repository that have not run out, in their order. The first has the turn. */
export async function listTickets(db: Database, repositoryId: string): Promise<QueuedTicket[]> {
  const rows = await queryRepeatable(
    db.work,
    `select write_id as "writeId", device, author, reason, ${epochMs("since")} as since,
       ${intervalMs("clock_timestamp() - since")} as "waitedMs" from lockstep.turn
     where repository_id = $1 and expires_at > clock_timestamp() order by ticket`,
    [repositoryId],
  );
  return rows.map((row) => dated<QueuedTicket>(row, "since"));
}
