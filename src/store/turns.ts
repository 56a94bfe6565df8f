// The write turn of a repository: a queue of tickets, first come, first served. The lowest unexpired ticket has the turn; the
// bump of anyone else is refused. Write sessions take one, and pushes that lost several races, so that nobody starves.
import type { Incarnation } from "../domain.ts";
import { ask, askOne, type Database } from "./database.ts";
import { dated, epochMs, intervalMs } from "./instant.ts";

/** A ticket or a session whose holder died stands in the way for this long at the most. */
export const TURN_TTL_MS = 12_000;

/** Takes or renews the ticket of a write, and says whether it is its turn. */
export async function takeTurn(
  db: Database,
  me: Incarnation,
  request: { repositoryId: string; writeId: string; author: string; reason: string },
): Promise<boolean> {
  const { mine } = await askOne<{ mine: boolean }>(
    db.work,
    "select lockstep.take_turn($1, $2, $3, $4, $5, $6, $7::int * interval '1 millisecond') as mine",
    [request.writeId, request.repositoryId, me.device, me.fence, request.author, request.reason, TURN_TTL_MS],
  );
  return mine;
}

/** Hands a ticket, with its place in the queue, on to the next attempt of the same push. */
export async function passTurn(db: Database, fromWriteId: string, toWriteId: string): Promise<void> {
  await ask(db.work, "update lockstep.turn set write_id = $2 where write_id = $1", [fromWriteId, toWriteId]);
}

/** Gives a ticket back; a bump that lands does so by itself. */
export async function leaveTurn(db: Database, writeId: string): Promise<void> {
  await ask(db.work, "delete from lockstep.turn where write_id = $1", [writeId]);
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
