// What the gate needs to serve requests: its settings, the services around it, and the state that requests share.
import type { BlockList } from "node:net";
import type { HostNames } from "../http/host-names.ts";
import type { BodyLimits } from "../smart-http/request-body.ts";
import type { AnswerCache } from "./cache/answer-cache.ts";
import type { Grant } from "./cache/grant.ts";
import type { EarlyStarts } from "./early-start.ts";
import type { ServedRequest } from "./served.ts";
import type { Crowd } from "./turn.ts";
import type { RefusedUser, UserRules } from "./users/users.ts";

type Log = (fields: Record<string, unknown>, message: string) => void;

/** The settings and services that a gate needs for its requests. */
export interface ServeOptions {
  /** The directory of the repositories: NAME is at `root/NAME.git`. */
  readonly root: string;
  /** The directory where the hooks of git find the sidecar. */
  readonly socketDir: string;
  /**
   * Resolves when this device may serve the repository. Rejects with the reason, preferably a LockstepError. The signal
   * aborts when the client leaves or the gate stops; then it must settle. `forPush`: a push begins, and nothing of it
   * has been uploaded. `since`: a mark of refs, and the grant tells what has changed since then; "new" asks for a mark.
   */
  readonly beforeRead: (
    repository: string,
    options: { signal: AbortSignal; forPush: boolean; since?: string | undefined },
  ) => Promise<Grant>;
  /** Called when a git that read for a client has failed, with its last words. It must not throw. */
  readonly onReadFailed?: (repository: string, said: string) => void;
  /** Called when a request was answered, or refused with that error. It must not throw. */
  readonly onServed?: (served: ServedRequest, error?: unknown) => void;
  /** Called when a client left before the answer. It must not throw. */
  readonly onLeft?: (left: ServedRequest) => void;
  readonly users: UserRules;
  /** Called when a user's credentials were refused. It must not throw. */
  readonly onRefused?: (refused: RefusedUser) => void;
  /** The names under which clients may ask for this gate. */
  readonly hostNames: HostNames;
  /** The proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: BlockList;
  readonly bodyLimits: BodyLimits;
  /** How many refs a push may change; 0: any number. */
  readonly pushRefs: number;
  /** Every object of a push must be smaller than so many MiB; 0: any size. Default: 1,024. */
  readonly pushObject?: number;
  /** A program with its first arguments that becomes the git of a push, with limited memory. Empty: no limit. */
  readonly pushLimiter: readonly string[];
  readonly log: { readonly info: Log; readonly warn: Log; readonly error: Log };
  readonly env: { readonly PATH: string; readonly HOME: string };
}

/** The state that all requests to a gate share. */
export interface Shared {
  /** Aborts when no new request is accepted; the reason is the error to answer with. */
  readonly draining: AbortSignal;
  /** Aborts when no request may go on; the reason is the error to answer with. */
  readonly stopping: AbortSignal;
  readonly earlyStarts: EarlyStarts;
  readonly crowd: Crowd;
  readonly answers: AnswerCache;
}
