// Repeats a call where that is safe (docs/decisions/0046-which-calls-are-repeated.md). Either the sidecar said so
// (google.rpc.RetryInfo), or the connection failed and the protocol allows a repetition.
import { setTimeout as sleep } from "node:timers/promises";
import { LockstepError, retryAfterMs } from "../errors.ts";
import type { Repeats } from "../generated/methods.ts";

/** One attempt has the time that is left. */
interface Left {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

interface Patience {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly repeats: Repeats;
}

/** Calls until the answer comes, an error comes that no repetition mends, or the time is up. Throws the last error. */
export async function repeat<Response>(
  attempt: (left: Left) => Promise<Response>,
  { timeoutMs, signal, repeats }: Patience,
): Promise<Response> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    const left = { timeoutMs: Math.max(1, until - performance.now()), ...(signal && { signal }) };
    try {
      return await attempt(left);
    } catch (error) {
      const pause = pauseBefore(error, repeats);
      if (pause === undefined || signal?.aborted || performance.now() + pause >= until) throw error;
      await sleep(pause, undefined, signal && { signal }).catch(() => {
        throw error;
      });
    }
  }
}

/** Returns after how many milliseconds to call again. undefined: not at all. */
export function pauseBefore(error: unknown, repeats: Repeats): number | undefined {
  if (!(error instanceof LockstepError) || repeats === "never") return undefined;
  if (error.retryAfterMs !== undefined) return error.retryAfterMs;
  // The sidecar said nothing, so it may have done what was asked.
  return repeats === "always" && error.code === "SIDECAR_UNAVAILABLE" ? retryAfterMs(error.code) : undefined;
}
