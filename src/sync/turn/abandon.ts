// Cleans up writes and tickets that this process gave up: a write must not stay staged, a ticket must not block the
// queue. It happens now, or as soon as the database answers again. If this process ends first, the next incarnation
// drops them when it takes the device over.
import pRetry from "p-retry";
import { giveUpSession } from "../../store/write/sessions.ts";
import { leaveTurn } from "../../store/write/turns.ts";
import { settleWrite, type WriteIdentity } from "../../store/write/writes.ts";
import type { SyncContext } from "../device/context.ts";
import type { Ticket } from "../device/turn-queue.ts";

/** Drops a write, staged or perhaps staged, unless it has landed. Works in the background. */
export function abandon(context: SyncContext, write: WriteIdentity, reason: string): void {
  void untilDone(context, () => settleWrite(context.db, context.me, write, reason));
}

/**
 * Guards the row of a write from its staging to its decision. It drops the write when it is disposed, unless this
 * attempt no longer decides the write.
 */
export class Undecided implements Disposable {
  readonly #context: SyncContext;
  readonly #write: WriteIdentity;
  #mine = true;
  /** Why the write is dropped. */
  reason = "the server failed before the write was decided";

  constructor(context: SyncContext, write: WriteIdentity) {
    this.#context = context;
    this.#write = write;
  }

  /** Leaves the row alone: there is none, or it is decided elsewhere. */
  leave(): void {
    this.#mine = false;
  }

  [Symbol.dispose](): void {
    if (this.#mine) abandon(this.#context, this.#write, this.reason);
  }
}

/** Deletes a ticket for the repository's turn. Works in the background. */
export function abandonTurn(context: SyncContext, { writeId, repositoryId }: Ticket): void {
  void untilDone(context, async () => {
    if (await leaveTurn(context.db, writeId)) turnMoved(context, repositoryId);
  });
}

/**
 * Drops a session that could not begin, and deletes its ticket. Resolves when that is done or the process ends. Never
 * rejects.
 */
export async function abandonSession(
  context: SyncContext,
  { repositoryId, ...session }: { repositoryId: string; writeId: string; caller: string; reason: string },
): Promise<void> {
  await untilDone(context, () => giveUpSession(context.db, context.me, session));
  turnMoved(context, repositoryId);
}

/**
 * Tells all that wait for the turn of the repository to look at once: here, and on devices that get the notification.
 */
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
