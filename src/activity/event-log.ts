// Collects the rows of the push log and of the pull log in memory. A loop writes them (sync/activity/keep-writing.ts),
// so no push and no read waits for that.
import type { PullEvent, PushEvent } from "./activity.ts";

/** How many rows wait for a database that does not answer. */
const WAITING_LIMIT = 5_000;

/** A row of the pull log, and for how many reads it stands. */
export interface SampledPull {
  readonly pull: PullEvent;
  readonly standsFor: number;
}

export interface EventLogOptions {
  /** How many rows the pull log gets in one round. Of more reads, a sample is taken. */
  readonly pullsPerRound: number;
  /** Is told of rows that were dropped because too many wait. */
  readonly onDropped: (log: "pushes" | "pulls", count: number) => void;
}

export class EventLog {
  readonly #options: EventLogOptions;
  #pushes: PushEvent[] = [];
  #pulls: SampledPull[] = [];
  /** The reads of this round. */
  readonly #round: PullEvent[] = [];
  #seen = 0;

  constructor(options: EventLogOptions) {
    this.#options = options;
  }

  /** Notes a push that was answered. */
  pushed(push: PushEvent): void {
    this.#pushes.push(push);
    this.#dropOldest("pushes", this.#pushes);
  }

  /**
   * Notes a read that was answered, or so many of them. `make` returns its row. It is called only if the read gets
   * into the sample: each read of a round has the same chance.
   */
  pulled(make: () => PullEvent, standsFor = 1): void {
    const { pullsPerRound } = this.#options;
    this.#seen += standsFor;
    if (this.#round.length < pullsPerRound) this.#round.push(make());
    else {
      const place = Math.floor((Math.random() * this.#seen) / standsFor);
      if (place < pullsPerRound) this.#round[place] = make();
    }
  }

  /** Returns what is to be written now, and ends the round. */
  take(): { pushes: PushEvent[]; pulls: SampledPull[] } {
    this.#pulls.push(...shared(this.#round, this.#seen));
    this.#round.length = 0;
    this.#seen = 0;
    const taken = { pushes: this.#pushes, pulls: this.#pulls };
    this.#pushes = [];
    this.#pulls = [];
    return taken;
  }

  /** Takes rows back that could not be written. They come before those that were noted meanwhile. */
  giveBack({ pushes, pulls }: { pushes: PushEvent[]; pulls: SampledPull[] }): void {
    this.#pushes.unshift(...pushes);
    this.#pulls.unshift(...pulls);
    this.#dropOldest("pushes", this.#pushes);
    this.#dropOldest("pulls", this.#pulls);
  }

  /** Drops the first rows of those that were taken. */
  drop(rows: PushEvent[] | SampledPull[], count: number): void {
    const [first] = rows;
    const dropped = rows.splice(0, count).length;
    if (first !== undefined) this.#options.onDropped("pull" in first ? "pulls" : "pushes", dropped);
  }

  #dropOldest(log: "pushes" | "pulls", rows: unknown[]): void {
    const tooMany = rows.length - WAITING_LIMIT;
    if (tooMany <= 0) return;
    rows.splice(0, tooMany);
    this.#options.onDropped(log, tooMany);
  }
}

/** Shares `seen` reads among the rows of a sample. */
function shared(rows: readonly PullEvent[], seen: number): SampledPull[] {
  const each = Math.floor(seen / rows.length);
  const more = seen % rows.length;
  return rows.map((pull, index) => ({ pull, standsFor: each + (index < more ? 1 : 0) }));
}
