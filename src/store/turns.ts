// The write turn of a repository: a queue of tickets, first come, first served. The lowest unexpired ticket has the turn; the
// bump of anyone else is refused. Write sessions take one, and pushes that lost several races, so that nobody starves.
import type { Incarnation } from "../domain.ts";
import { LockstepError } from "../errors.ts";
import { ask, askOne, type Database } from "./database/database.ts";
import { dated, epochMs, intervalMs } from "./database/instant.ts";

/** A ticket or a session whose holder died stands in the way for this long at the most. */
export const TURN_TTL_MS = 12_000;

export interface TicketRequest {
  readonly repositoryId: string;
  /** Names the ticket: the write of a session; an id of its own for a push, which keeps it through all its attempts. */
  readonly writeId: string;
  readonly author: string;
  readonly reason: string;
  /** Whose session it is; absent: it is a push's. */
  readonly caller?: string;
}

/** Takes or renews a ticket, and says whether it is its turn. Throws IdInUse. */
export async function takeTurn(db: Database, me: Incarnation, request: TicketRequest): Promise<boolean> {
  const { writeId, repositoryId, author, reason, caller = null } = request;
  const { outcome } = await askOne<{ outcome: "first" | "waiting" | "used" }>(
    db.work,
    "select lockstep.take_turn($1, $2, $3, $4, $5, $6, $7::int * interval '1 millisecond', $8) as outcome",
    [writeId, repositoryId, me.device, me.fence, author, reason, TURN_TTL_MS, caller],
  );
  if (outcome === "used") throw new IdInUse();
  return outcome === "first";
}

/** The write id that a caller chose is not its own. */
export class IdInUse extends LockstepError {
  constructor() {
    super(
      "INVALID_REQUEST",
      "The id is that of a write which is over, or of another caller or device; choose a new one.",
    );
  }
}

/** Extends the tickets of this device that have not run out, all of them in one statement. */
export async function renewTickets(db: Database, me: Incarnation, writeIds: readonly string[]): Promise<void> {
  await ask(
    db.work,
    // In the order of tickets, as whoever else locks several.
    `with mine as (
       select t.repository_id, t.ticket from lockstep.turn t join lockstep.device d on d.name = t.device
       where t.write_id = any($1::uuid[]) and d.name = $2 and d.fence = $3 and t.expires_at > clock_timestamp()
       order by t.ticket for update of t)
     update lockstep.turn t set expires_at = clock_timestamp() + $4::int * interval '1 millisecond'
     from mine where t.repository_id = mine.repository_id and t.ticket = mine.ticket`,
    [writeIds, me.device, me.fence, TURN_TTL_MS],
  );
}

/** Who has the turn that each of these tickets waits for, perhaps itself. A ticket that has run out is absent. Writes nothing. */
export async function readTurns(db: Database, writeIds: readonly string[]): Promise<Map<string, string>> {
  const rows = await ask<{ ticket: string; holder: string }>(
    db.work,
    `select t.write_id as ticket, lockstep.turn_holder(t.repository_id) as holder from lockstep.turn t
     where t.write_id = any($1::uuid[]) and t.expires_at > clock_timestamp()`,
    [writeIds],
  );
  return new Map(rows.map(({ ticket, holder }) => [ticket, holder]));
}

/** Gives a ticket back, and says whether it was still there; a bump that lands does so by itself. */
export async function leaveTurn(db: Database, writeId: string): Promise<boolean> {
  return (await ask(db.work, "delete from lockstep.turn where write_id = $1 returning 1", [writeId])).length > 0;
}

export interface TurnHolder {
  readonly writeId: string;
  readonly device: string;
  readonly author: string;
  readonly reason: string;
  readonly since: Date;
}

/** Who has the turn of the repository, or undefined. */
export async function turnHolder(db: Database, repositoryId: string): Promise<TurnHolder | undefined> {
  const [row] = await ask(
    db.work,
    `select write_id as "writeId", device, author, reason, ${epochMs("since")} as since from lockstep.turn
     where repository_id = $1 and expires_at > clock_timestamp() order by ticket limit 1`,
    [repositoryId],
  );
  return row && dated<TurnHolder>(row, "since");
}

export interface Ticket extends TurnHolder {
  /** By the database's clock. */
  readonly waitedMs: number;
}

/** The unexpired tickets of the repository, in their order; the first has the turn. */
export async function listTickets(db: Database, repositoryId: string): Promise<Ticket[]> {
  const rows = await ask(
    db.work,
    `select write_id as "writeId", device, author, reason, ${epochMs("since")} as since,
       ${intervalMs("clock_timestamp() - since")} as "waitedMs" from lockstep.turn
     where repository_id = $1 and expires_at > clock_timestamp() order by ticket`,
    [repositoryId],
  );
  return rows.map((row) => dated<Ticket>(row, "since"));
}
