// The types between the hook's protocol and the write: the push, and its pusher.
import type { RefAuthor, RefUpdate } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import type { Stopwatch } from "../../telemetry/stopwatch.ts";

export interface PushRequest {
  readonly repository: string;
  readonly updates: readonly RefUpdate[];
  readonly atomic: boolean;
  /** Who pushed, as the git server knows it. */
  readonly author: string;
  /** The author, for git and for the hook that git runs when refs change. */
  readonly refAuthor: RefAuthor;
  readonly requestId: string;
  /** Runs since git handed the push over. */
  readonly clock: Stopwatch;
}

/** The pusher's side, behind the shim. */
export interface Pusher {
  /** Shows a line on the pusher's terminal. */
  say(text: string): void;
  /** Shows a line of git's own words on the pusher's terminal, without Lockstep's mark. */
  sayAsGit(text: string): void;
  /** Changes whenever the configuration of the git server may have changed. undefined: unknown. */
  readonly settings: string | undefined;
  /**
   * Runs a hook in the git server's environment and returns its exit code. Arguments are bytes: names of refs need not
   * be UTF-8.
   */
  runHook(path: string, args: readonly (string | Buffer)[]): Promise<number>;
  /** Aborts when the pusher is gone. */
  readonly gone: AbortSignal;
}

/** Makes the error for a write that nobody waits for any more and that is not decided. */
export function pusherGoneError(): LockstepError {
  return new LockstepError("WRITE_DROPPED", "The pusher was gone before the write was decided; nothing was written.");
}
