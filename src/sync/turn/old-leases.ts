// Waits after a fail-over for old leases. Devices that still reach the old primary may serve reads from it until their
// leases have run out. Nothing is decided before that (migrations/functions/old_leases_end.sql).
import { setTimeout as sleep } from "node:timers/promises";
import type { SyncContext } from "../device/context.ts";

const POLL_MS = 100;

/** Repeats a statement while it answers "old_leases". The statement prepares a decision and decides nothing itself. */
export async function afterOldLeases<Answer extends { readonly outcome: string }>(
  context: SyncContext,
  act: () => Promise<Answer>,
): Promise<Exclude<Answer, { outcome: "old_leases" }>> {
  for (;;) {
    const answer = await act();
    if (answer.outcome !== "old_leases") return answer as Exclude<Answer, { outcome: "old_leases" }>;
    // This device's own lease is among them, if it has not been renewed since.
    await context.lease.renewSoon();
    await sleep(POLL_MS, undefined, { signal: context.signal }).catch(() => {});
    context.signal.throwIfAborted();
  }
}
