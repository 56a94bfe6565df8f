// What this process no longer pursues must not stand in anybody's way: a write as staged for ever, a ticket as the next in turn.
// It goes now, or as soon as the database answers again; if this process ends first, the next incarnation drops it when it takes
// the device over.
import pRetry from "p-retry";
import { leaveTurn } from "../store/turns.ts";
import { settleWrite } from "../store/writes.ts";
import type { SyncContext } from "./context.ts";

/** Drops a write, staged or perhaps staged, unless it has landed; in the background. */
export function abandon(context: SyncContext, writeId: string, reason: string): void {
  untilDone(context, () => settleWrite(context.db, writeId, reason));
}

/** Gives back the ticket of a write, if it has one, for the repository's turn; in the background. */
export function abandonTurn(context: SyncContext, writeId: string): void {
  untilDone(context, () => leaveTurn(context.db, writeId));
}

function untilDone(context: SyncContext, act: () => Promise<unknown>): void {
  const attempts = {
    retries: Number.POSITIVE_INFINITY,
    minTimeout: 250,
    maxTimeout: 30_000,
    signal: context.signal,
    unref: true,
  };
  void pRetry(act, attempts).catch(() => {});
}
