// What every command looks like to the loop that runs them.
import type { ReplicaState } from "../domain.ts";
import type { Command } from "../store/command/commands.ts";
import type { SyncContext } from "../sync/device/context.ts";
import type { Replica } from "../sync/device/replica.ts";

export interface Performed {
  /** What the command did, for people and programs. */
  readonly outcome: Readonly<Record<string, unknown>>;
  /** True: the replica is another one now than before. */
  readonly changed: boolean;
  /** True: the performer recorded the end of the command itself, in the transaction of its effect. */
  readonly recorded?: boolean;
}

/**
 * Carries a command out. It may be killed anywhere and started again, so it looks at the state of the replica before it
 * acts. Most errors bring the command back later (end-of-error.ts).
 */
export type Perform = (
  context: SyncContext,
  command: Command,
  replica: Replica,
  signal: AbortSignal,
) => Promise<Performed>;

export interface Performer {
  /** The states of a replica in which there is something to do. In other states the command is superseded. */
  readonly states: readonly ReplicaState[];
  readonly perform: Perform;
  /** After so many errors that somebody has to mend the command fails. undefined: the device goes on trying. */
  readonly failures?: number;
}
