// After a fail-over, devices that still reach the old primary may serve reads on its word until their leases have run out. Nothing is
// decided before that (migrations/functions/old_leases_end.sql); those who write wait here.
import { setTimeout as sleep } from "node:timers/promises";
import type { SyncContext } from "../device/context.ts";

const POLL_MS = 100;

/** Repeats a statement that decides nothing, and prepares a decision, for as long as it answers "old_leases". */
export async function afterOldLeases<Answer extends { readonly outcome: string }>(
  context: SyncContext,
  act: () => Promise<Answer>,
): Promise<Exclude<Answer, { outcome: "old_leases" }>> {
  for (;;) {
    const answer = await act();
    if (answer.outcome !== "old_leases") return answer as Exclude<Answer, { outcome: "old_leases" }>;
    // This device's own is among them, if it has not been renewed since.
    await context.lease.renewSoon();
    await sleep(POLL_MS, undefined, { signal: context.signal }).catch(() => {});
    context.signal.throwIfAborted();
  }
}
