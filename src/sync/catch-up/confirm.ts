// Makes sure that the log is safe before a replica takes it over. If no synchronous standby has the commit of a version
// yet, the version could be lost with this server. Then the disk would hold a version that no database knows.

import { unavailableError } from "../../store/database/sqlstate.ts";
import { confirmReads } from "../../store/write/confirm-reads.ts";
import type { SyncContext } from "../device/context.ts";
import { endAsFenced } from "../device/end-as-fenced.ts";

/** From which server the log was read, and whether commits wait for a standby there. */
interface ReadFrom {
  readonly replicated: boolean;
  readonly timeline: string | null;
}

/**
 * Begins to confirm the log that was read, while its objects are fetched. The caller awaits the result before it
 * applies anything. The result rejects with DATABASE_UNAVAILABLE or FENCED. Costs nothing when commits wait for no
 * standby.
 */
export function beginConfirmation(context: SyncContext, { replicated, timeline }: ReadFrom): Promise<void> {
  const confirmed = replicated ? confirm(context, timeline) : Promise.resolve();
  // A caller that fails before it awaits this has an error of its own.
  confirmed.catch(() => {});
  return confirmed;
}

async function confirm(context: SyncContext, timeline: string | null): Promise<void> {
  const answer = await confirmReads(context.db, context.me, timeline);
  if (answer === "confirmed") return;
  if (answer === "elsewhere") {
    // The log may come from an old primary, with versions that the new one does not know.
    context.db.replaceConnections();
    throw unavailableError("the log was read from another server than the primary");
  }
  throw endAsFenced(context);
}
