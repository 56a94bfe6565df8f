// A push that waits for the mutex of its replica, where another push may take it along.
import type { RefName } from "../../domain.ts";
import type { Attempt, WriteAttempt } from "../write/outcome.ts";

/** A push in the queue. */
export class Member {
  readonly write: WriteAttempt;
  /** "taken": another push has taken it along. "alone": a group with it could not be decided. */
  state: "waiting" | "taken" | "alone" = "waiting";
  /** Settles with the outcome if it was decided in a group. */
  readonly decided: Promise<Attempt>;
  /** Tells the push how it ended. */
  tell!: (outcome: Attempt) => void;
  fail!: (error: unknown) => void;

  constructor(write: WriteAttempt) {
    this.write = write;
    this.decided = new Promise((tell, fail) => Object.assign(this, { tell, fail }));
    this.decided.catch(() => {});
  }

  get names(): RefName[] {
    return this.write.request.updates.map(({ name }) => name);
  }
}

/** Returns true if nobody waits for the outcome any more. Such a push ends when its turn comes, and delays no other. */
export function isGone({ write }: Member): boolean {
  return write.gone?.aborted === true;
}
