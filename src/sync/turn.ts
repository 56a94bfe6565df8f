// Waiting for a repository's turn, the cluster-wide write lock: who waits is told for whom, and who waits in vain too.
import { setTimeout as sleep } from "node:timers/promises";
import { LockstepError } from "../errors.ts";
import { type TurnHolder, takeTurn, turnHolder } from "../store/turns.ts";
import type { SyncContext } from "./context.ts";

const POLL_MS = 25;
/** After so long the one who waits is told for whom. */
const NOTICE_MS = 1_000;

export interface TurnTicket {
  readonly repositoryId: string;
  readonly writeId: string;
  readonly author: string;
  readonly reason: string;
}

export interface TurnPatience {
  readonly patienceMs: number;
  /** Aborts when nobody wants the turn any more. */
  readonly signal: AbortSignal;
  readonly tell?: (holder: TurnHolder) => void;
}

/**
 * Returns when the write has the turn. The caller gives the ticket back (`abandonTurn`) whatever happens. Throws TURN_HELD when its
 * patience ends, WRITE_DROPPED when nobody waits any more.
 */
export async function waitForTurn(
  context: SyncContext,
  repository: string,
  ticket: TurnTicket,
  { patienceMs, signal, tell }: TurnPatience,
): Promise<void> {
  const startedAt = performance.now();
  let told = false;
  while (!(await takeTurn(context.db, context.me, ticket))) {
    const waited = performance.now() - startedAt;
    context.signal.throwIfAborted();
    if (signal.aborted)
      throw new LockstepError("WRITE_DROPPED", "Nobody waits for this write any more; nothing was written.");
    const holder =
      waited > patienceMs || (waited > NOTICE_MS && !told)
        ? await turnHolder(context.db, ticket.repositoryId)
        : undefined;
    if (waited > patienceMs) throw turnHeld(repository, holder);
    if (holder) {
      told = true;
      tell?.(holder);
    }
    await sleep(POLL_MS * (0.5 + Math.random()));
  }
}

/** One line about who has the turn: author, device, reason, since when. */
export function describeHolder({ author, device, reason, since }: TurnHolder): string {
  return `${author} on ${device} (${reason}, since ${since.toISOString()})`;
}

function turnHeld(repository: string, holder: TurnHolder | undefined): LockstepError {
  return new LockstepError(
    "TURN_HELD",
    `The write turn of ${repository} is held by ${holder ? describeHolder(holder) : "another write"}; nothing was written, try again later.`,
    {
      details: {
        repository,
        ...(holder && {
          author: holder.author,
          device: holder.device,
          reason: holder.reason,
          since: holder.since.toISOString(),
        }),
      },
    },
  );
}

/** WRITES_STOPPED: an operator drains the repository. */
export function writesStopped(repository: string, reason: string): LockstepError {
  return new LockstepError(
    "WRITES_STOPPED",
    `Writes to ${repository} are stopped (${reason}); nothing was written, try again when they are allowed.`,
    { details: { repository, reason } },
  );
}
