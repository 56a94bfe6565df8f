// Asks whether what was read would survive a fail-over.
import type { Incarnation } from "../../domain.ts";
import { type Database, queryRepeatableRow } from "../database/database.ts";

/**
 * Resolves when all that earlier statements read on that timeline would survive a fail-over to a synchronous standby.
 * "fenced": another incarnation has the device. "elsewhere": this server is on another timeline and knows nothing of
 * those reads.
 */
export async function confirmReads(
  db: Database,
  me: Incarnation,
  timeline: string | null,
): Promise<"confirmed" | "fenced" | "elsewhere"> {
  const text = "select lockstep.confirm_reads($1, $2, $3) as answer";
  const { answer } = await queryRepeatableRow<{ answer: "confirmed" | "fenced" | "elsewhere" }>(db.work, text, [
    me.device,
    me.fence,
    timeline,
  ]);
  return answer;
}
