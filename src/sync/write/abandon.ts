// What this process no longer pursues must not stand in anybody's way: a write as staged for ever, a ticket as the next in turn.
// It goes now, or as soon as the database answers again; if this process ends first, the next incarnation drops it when it takes
// the device over.
import pRetry from "p-retry";
import { giveUpSession } from "../../store/sessions.ts";
import { leaveTurn } from "../../store/turns.ts";
import { settleWrite, type WriteIdentity } from "../../store/writes.ts";
import type { SyncContext } from "../device/context.ts";
import type { Ticket } from "../device/turn-queue.ts";

/** Drops a write, staged or perhaps staged, unless it has landed; in the background. */
export function abandon(context: SyncContext, write: WriteIdentity, reason: string): void {
  void untilDone(context, () => settleWrite(context.db, context.me, write, reason));
}

/** Gives a ticket for the repository's turn back; in the background. */
export function abandonTurn(context: SyncContext, { writeId, repositoryId }: Ticket): void {
  void untilDone(context, async () => {
    if (await leaveTurn(context.db, writeId)) turnMoved(context, repositoryId);
  });
}

/** Drops a session that could not begin, and gives its ticket back. Resolves when that is done, or the process ends; never rejects. */
export async function abandonSession(
  context: SyncContext,
  { repositoryId, ...session }: { repositoryId: string; writeId: string; caller: string; reason: string },
): Promise<void> {
  await untilDone(context, () => giveUpSession(context.db, context.me, session));
  turnMoved(context, repositoryId);
}

/** Those who wait for the turn of the repository look at once: here, and on devices that hear of it. */
export function turnMoved(context: SyncContext, repositoryId: string): void {
  if (context.signal.aborted) return;
  context.sessions.turns.wake(context, [repositoryId]);
  context.announcer.announce(repositoryId);
}

async function untilDone(context: SyncContext, act: () => Promise<unknown>): Promise<void> {
  const attempts = {
    retries: Number.POSITIVE_INFINITY,
    minTimeout: 250,
    maxTimeout: 30_000,
    signal: context.signal,
    unref: true,
  };
  await pRetry(act, attempts).catch(() => {});
}
