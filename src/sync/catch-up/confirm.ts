// Before a replica takes over what the log says, the log must be safe: a version whose commit no synchronous standby has yet would be
// lost with this server, and then the disk would hold what no database knows.

import { unavailableError } from "../../store/database/sqlstate.ts";
import { fencedError } from "../../store/replicas.ts";
import { confirmReads } from "../../store/writes.ts";
import type { SyncContext } from "../device/context.ts";

/** What was read from the log: whether commits wait for a standby there, and which server it was. */
interface ReadFrom {
  readonly replicated: boolean;
  readonly timeline: string | null;
}

/**
 * Begins to confirm what was read from the log, while its objects are fetched. Await it before anything is applied; it rejects with
 * DATABASE_UNAVAILABLE, or FENCED. Costs nothing where commits wait for no standby.
 */
export function beginConfirmation(context: SyncContext, { replicated, timeline }: ReadFrom): Promise<void> {
  const confirmed = replicated ? confirm(context, timeline) : Promise.resolve();
  // Whoever fails before it is awaited has an error of its own.
  confirmed.catch(() => {});
  return confirmed;
}

async function confirm(context: SyncContext, timeline: string | null): Promise<void> {
  const answer = await confirmReads(context.db, context.me, timeline);
  if (answer === "confirmed") return;
  if (answer === "elsewhere") {
    // The log may have been an old primary's, with versions that the new one does not know.
    context.db.replaceConnections();
    throw unavailableError("the log was read from another server than the primary");
  }
  context.onFenced();
  throw fencedError(context.me);
}
