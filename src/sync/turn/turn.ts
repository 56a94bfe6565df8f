// Waits for a repository's turn. A waiting push is told who has the turn, and again when it gives up.
import { LockstepError } from "../../errors.ts";
import { type TicketRequest, type TurnHolder, takeTurn, turnHolder } from "../../store/write/turns.ts";
import { WAITS } from "../../waits.ts";
import type { SyncContext } from "../device/context.ts";
import { abandonTurn } from "./abandon.ts";

/** Longer than the pause before any look. Timers take no more than 24 days. */
const LONG_MS = 60_000;

export interface TurnPatience {
  readonly patienceMs: number;
  /** Aborts when nobody wants the turn any more. */
  readonly signal: AbortSignal;
  readonly tell?: (holder: TurnHolder) => void;
}

/** A ticket for the turn of a repository. It is renewed until it is disposed. */
export class Turn implements Disposable {
  readonly #context: SyncContext;
  readonly #repository: string;
  readonly #ticket: TicketRequest;
  #kept = false;

  constructor(context: SyncContext, repository: string, ticket: TicketRequest) {
    this.#context = context;
    this.#repository = repository;
    this.#ticket = ticket;
  }

  get ticket(): string {
    return this.#ticket.writeId;
  }

  /**
   * Returns when the ticket has the turn. A ticket that has lost its place waits again. The caller must give the ticket
   * back in any case. Throws TURN_HELD when its patience ends, WRITE_DROPPED when nobody waits any more, IdInUse.
   */
  async wait({ patienceMs, signal, tell }: TurnPatience): Promise<void> {
    const { db, me, sessions } = this.#context;
    const startedAt = performance.now();
    let told = false;
    let isNew = true;
    let first: boolean | undefined = await takeTurn(db, me, this.#ticket);
    if (!this.#kept) sessions.turns.keep(this.#context, this.#ticket);
    this.#kept = true;
    while (!first) {
      const waited = performance.now() - startedAt;
      this.#context.signal.throwIfAborted();
      if (signal.aborted)
        throw new LockstepError("WRITE_DROPPED", "Nobody waits for this write any more; nothing was written.");
      const asks = waited > patienceMs || (!told && waited > WAITS.turnNoticeMs);
      const holder = asks ? await turnHolder(db, this.#ticket.repositoryId) : undefined;
      if (waited > patienceMs) throw turnHeldError(this.#repository, holder);
      if (holder) {
        told = true;
        tell?.(holder);
      }
      const look = sessions.turns.look(this.#context, this.#ticket, { isNew });
      isNew = false;
      const untilMs = asks ? patienceMs : Math.min(patienceMs, WAITS.turnNoticeMs);
      const seen = await within(look, Math.min(Math.max(untilMs - waited, 0) + 5, LONG_MS), signal);
      // The ticket ran out while the database did not answer. It goes to the end of the queue.
      first = seen === undefined ? await takeTurn(db, me, this.#ticket) : seen === true;
    }
  }

  /** Deletes the ticket. A bump that lands does that itself. */
  giveBack(): void {
    this[Symbol.dispose]();
    abandonTurn(this.#context, this.#ticket);
  }

  [Symbol.dispose](): void {
    if (this.#kept) this.#context.sessions.turns.release(this.#ticket);
    this.#kept = false;
  }
}

/** Returns the result of a promise, or "later" after `ms` or when the signal aborts. */
async function within<T>(promise: Promise<T>, ms: number, signal: AbortSignal): Promise<T | "later"> {
  let stop = () => {};
  const stopped = new Promise<"later">((resolve) => {
    stop = () => resolve("later");
  });
  const timer = setTimeout(stop, ms);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

/** Describes in one line who has the turn: author, device, reason, since when. */
export function describeHolder({ author, device, reason, since }: TurnHolder): string {
  return `${author} on ${device} (${reason}, since ${since.toISOString()})`;
}

function turnHeldError(repository: string, holder: TurnHolder | undefined): LockstepError {
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
