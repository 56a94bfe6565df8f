// A write that this process no longer pursues must not stand as staged for ever. It is dropped now, or as soon as the database
// answers again; if this process ends first, the next incarnation drops it when it takes the device over.
import pRetry from "p-retry";
import { settleWrite } from "../store/writes.ts";
import type { SyncContext } from "./context.ts";

/** Drops a write, staged or perhaps staged, for which no bump was ever sent; in the background. */
export function abandon(context: SyncContext, writeId: string, reason: string): void {
  const attempts = {
    retries: Number.POSITIVE_INFINITY,
    minTimeout: 250,
    maxTimeout: 30_000,
    signal: context.signal,
    unref: true,
  };
  void pRetry(() => settleWrite(context.db, writeId, reason), attempts).catch(() => {});
}
