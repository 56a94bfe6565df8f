// Tickets in the queue for a repository's turn.
import { queryOnce } from "../../src/store/database/database.ts";
import { db } from "./file-database.ts";

/** Lets the ticket of a write run out. */
export async function expire(writeId: string): Promise<void> {
  await queryOnce(
    db.work,
    "update lockstep.turn set expires_at = clock_timestamp() - interval '1 millisecond' where write_id = $1",
    [writeId],
  );
}
