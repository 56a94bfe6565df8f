// Before a replica takes over what the log says, the log must be safe: a version whose commit no synchronous standby has yet would be
// lost with this server, and then the disk would hold what no database knows.

import { fenced } from "../../store/replicas.ts";
import { confirmReads } from "../../store/writes.ts";
import type { SyncContext } from "../device/context.ts";

/**
 * Begins to confirm what was read from the log, while its objects are fetched. Await it before anything is applied; it rejects with
 * DATABASE_UNAVAILABLE, or FENCED. Costs nothing where commits wait for no standby.
 */
export function beginConfirmation(context: SyncContext, { replicated }: { replicated: boolean }): Promise<void> {
  const confirmed = replicated ? confirm(context) : Promise.resolve();
  // Whoever fails before it is awaited has an error of its own.
  confirmed.catch(() => {});
  return confirmed;
}

async function confirm(context: SyncContext): Promise<void> {
  if (await confirmReads(context.db, context.me)) return;
  context.onFenced();
  throw fenced(context.me);
}
