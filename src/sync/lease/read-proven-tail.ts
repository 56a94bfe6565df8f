// Reads the tail of the log from the server that confirmed this device's lease. Another server may lack some of it.
import type { Database } from "../../store/database/database.ts";
import { unavailableError } from "../../store/database/sqlstate.ts";
import { type LogTailRow, type Position, readLogTail } from "../../store/watch/log-tail.ts";
import type { Lease } from "./lease.ts";

/** Throws DATABASE_UNAVAILABLE, also when another server than the primary answers. */
export async function readProvenTail(db: Database, lease: Lease, after: Position | null): Promise<LogTailRow> {
  const tail = await readLogTail(db, after);
  await requirePrimary(db, lease, tail.timeline);
  return tail;
}

/**
 * Returns if the answer came from the server that confirmed the lease. Otherwise makes later statements go to the
 * primary, and throws DATABASE_UNAVAILABLE.
 */
export async function requirePrimary(db: Database, lease: Lease, timeline: string | null): Promise<void> {
  if (timeline === lease.timeline) return;
  await lease.renewSoon();
  db.replaceConnections();
  throw unavailableError("the log was read from another server than the primary");
}
