// Another sidecar has taken over the device of this one.
import type { LockstepError } from "../../errors.ts";
import { fencedError } from "../../store/replicas.ts";
import type { SyncContext } from "./context.ts";

/** Ends this process, and returns FENCED for the call that has noticed. */
export function fencedOff(context: Pick<SyncContext, "me" | "onFenced">): LockstepError {
  context.onFenced();
  return fencedError(context.me);
}
