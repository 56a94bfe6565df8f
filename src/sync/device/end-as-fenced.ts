// Ends a sidecar whose device another sidecar has taken over.
import type { LockstepError } from "../../errors.ts";
import { fencedError } from "../../store/replica/replicas.ts";
import type { SyncContext } from "./context.ts";

/** Ends this process and returns the error FENCED for the call that noticed it. */
export function endAsFenced(context: Pick<SyncContext, "me" | "onFenced">): LockstepError {
  context.onFenced();
  return fencedError(context.me);
}
