// Counts the races that a write loses to other devices. A write that loses too often queues for the repository's turn.
import { LockstepError } from "../../errors.ts";
import type { TicketRequest, TurnHolder } from "../../store/write/turns.ts";
import { WAITS } from "../../waits.ts";
import type { SyncContext } from "../device/context.ts";
import { Turn } from "../turn/turn.ts";
import type { Lost } from "./outcome.ts";

/** How many races a write loses to other devices before it queues for the repository's turn. */
const RACES = 3;
/** A write does not lose so many races while turns work. It must not go on for ever when something else is wrong. */
const RACES_LIMIT = 50;
/** After so many failed decisions in a row, a write does not ask the database again. */
const FAILURES_LIMIT = 3;

export interface RacesOptions {
  /** A word for the write, such as push. */
  readonly what: string;
  /** Aborts when nobody waits for the write any more. */
  readonly signal: AbortSignal;
  /** Tells the author who has the turn. */
  readonly tell?: (holder: TurnHolder) => void;
}

/** The races of one write. It gives its turn back when it is disposed. */
export class Races implements Disposable {
  readonly #context: SyncContext;
  readonly #repository: string;
  readonly #ticket: TicketRequest;
  readonly #options: RacesOptions;
  /** The turn has one ticket for all attempts. Each attempt has an id of its own. */
  #turn: Turn | undefined;
  #lost = 0;
  #failures = 0;

  constructor(context: SyncContext, repository: string, ticket: TicketRequest, options: RacesOptions) {
    this.#context = context;
    this.#repository = repository;
    this.#ticket = ticket;
    this.#options = options;
  }

  /** How often another device was faster. */
  get lost(): number {
    return this.#lost;
  }

  /** The ticket with which the next attempt has the turn. undefined: the write has not queued. */
  get ticket(): string | undefined {
    return this.#turn?.ticket;
  }

  /** Returns when it is time to try again: true after a wait for the turn. Throws when the write gives up. */
  async afterLoss(attempt: Lost): Promise<boolean> {
    this.#lost += 1;
    const failure = attempt.outcome === "raced" ? attempt.failure : undefined;
    this.#failures = failure === undefined ? 0 : this.#failures + 1;
    if (this.#failures >= FAILURES_LIMIT) throw failure;
    if (this.#lost > RACES_LIMIT) {
      const { what } = this.#options;
      throw new LockstepError(
        "WRITE_DROPPED",
        `The ${what} lost ${this.#lost} races in a row; nothing was written, ${what} again.`,
      );
    }
    // Other devices keep winning, or another write has the turn. The write queues for the turn, so that it does not
    // wait for ever.
    if (attempt.outcome !== "turn" && this.#lost < RACES) return false;
    this.#turn ??= new Turn(this.#context, this.#repository, this.#ticket);
    const { signal, tell } = this.#options;
    await this.#turn.wait({ patienceMs: WAITS.pushTurnMs, signal, ...(tell && { tell }) });
    return true;
  }

  [Symbol.dispose](): void {
    this.#turn?.giveBack();
  }
}
