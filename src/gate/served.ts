// The facts about a request, which the logs of the gate tell.
import type { GitRequest } from "../smart-http/route.ts";
import type { ReadFor } from "./cache/ls-refs-request.ts";
import type { InHand } from "./refuse.ts";

/** The facts about a request, for the log of the gate. */
export type Told = {
  readonly requestId: string;
  repository?: string;
  service?: GitRequest["service"];
  user?: string;
};

/** Further facts, for the pull log. */
export interface Seen {
  /** It asked for the refs, as the first request of a fetch or of a push does. */
  advertisement?: boolean;
  /** The address of the client. */
  address?: string;
  /** undefined: it reads nothing, or a hook tells of it. */
  what?: ReadFor;
  /** Milliseconds from the question to the sidecar until its answer. undefined: it was not asked. */
  waitMs?: number;
  fetched?: boolean | undefined;
  version?: string | undefined;
}

/** A request that is being served. */
export interface Hand extends InHand {
  readonly seen: Seen;
}

/** A request that was answered. */
export type ServedRequest = Told &
  Seen & {
    readonly status: number;
    readonly durationMs: number;
    /** Why it was refused: an error code, or `HTTP_` with the status. undefined: it was not. */
    readonly reason?: string;
  };
