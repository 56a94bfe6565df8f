// Reads heads, with the proof that the server that told them was the primary when it was asked.
import type { Database } from "../../store/database/database.ts";
import { unavailableError } from "../../store/database/sqlstate.ts";
import { type Heads, readHeads } from "../../store/repository/read-heads.ts";
import type { Lease } from "./lease.ts";

/**
 * Reads the heads of many repositories in one statement. If another server answers than the one that confirmed the
 * lease, asks once more. Throws DATABASE_UNAVAILABLE when no server proves that it is the primary.
 */
export async function readProvenHeads(
  db: Database,
  lease: Lease,
  device: string,
  names: readonly string[],
): Promise<Heads> {
  let heads = await readHeads(db, device, names);
  if (heads.timeline !== lease.timeline) {
    await lease.renewSoon();
    db.replaceConnections();
    heads = await readHeads(db, device, names);
  }
  await lease.prove();
  if (heads.timeline === lease.timeline) return heads;
  throw unavailableError("two servers take themselves for the primary, and this device reaches both");
}
