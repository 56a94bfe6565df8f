// A write session around a function (docs/integration.md, "Write sessions").
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { TEXT_LIMIT } from "../domain.ts";
import { describe, LockstepError } from "../errors.ts";
import type { BeginWriteRequest } from "../generated/lockstep/v1/BeginWriteRequest.ts";
import type { BeginWriteResponse__Output as Begun } from "../generated/lockstep/v1/BeginWriteResponse.ts";
import type { CallOptions, Methods } from "../generated/methods.ts";
import { WAITS } from "../waits.ts";
import { repeat } from "./repeat.ts";

/** What the function gets. */
export interface WriteSession {
  /** The scratch repository on this machine: bare, with the refs of `baseVersion`. Set GIT_DIR to it. */
  readonly path: string;
  readonly baseVersion: string;
  /** For GetWrite, which tells the outcome to everybody who reads the repository. */
  readonly writeId: string;
  /** Aborts when the session is lost: end the work then, because nothing of it can land. */
  readonly signal: AbortSignal;
}

export interface Landed<Result> {
  readonly writeId: string;
  /** The version that the changes made. If nothing was changed, it is `baseVersion`. */
  readonly version: string;
  readonly refsChanged: number;
  /** What the function returned. */
  readonly result: Result;
}

/** A session waits for the writes before this one, as the request says. Then the replica catches up. */
const WAIT_S = 30;
const CATCH_UP_MS = 120_000;
/** A landing moves objects. While the database does not answer, its outcome is asked for. */
const LANDING_MS = 20 * 60_000;
const ASK_AGAIN_MS = 1_000;

/** Begins a session, runs `work`, and lands or drops it. `signal` drops it too, until it is being landed. */
export async function withWrite<Result>(
  client: Methods,
  request: BeginWriteRequest,
  work: (session: WriteSession) => Promise<Result>,
  { timeoutMs = Number(request.wait?.seconds ?? WAIT_S) * 1000 + CATCH_UP_MS, signal }: CallOptions,
): Promise<Landed<Result>> {
  const { repository } = request;
  const asked = { ...request, writeId: request.writeId || randomUUID() };
  // The id makes the call safe to repeat.
  const begun = await repeat((left) => client.beginWrite(asked, left), { timeoutMs, signal, repeats: "always" });
  const session = { repository, token: begun.token };
  const abort = (reason: string) =>
    client.abortWrite({ ...session, reason: reason.slice(0, TEXT_LIMIT) }, { timeoutMs: WAITS.turnMs });
  let result: Result;
  try {
    result = await whileRenewed(client, session, signal, (lost) => work(sessionOf(begun, lost)));
  } catch (error) {
    // If this fails, the session ends with its lease.
    await abort(describe(error)).catch(() => {});
    throw error;
  }
  const { writeId, version, refsChanged } = await land(client, session);
  return { writeId, version, refsChanged, result };
}

function sessionOf({ path, baseVersion, writeId }: Begun, signal: AbortSignal): WriteSession {
  return { path, baseVersion, writeId, signal };
}

/**
 * Renews the lease while `work` runs. Throws WRITE_DROPPED if the session is over before the work has ended, and the
 * reason of `signal` if that aborts.
 */
async function whileRenewed<Result>(
  client: Methods,
  session: object,
  signal: AbortSignal | undefined,
  work: (lost: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const ended = new AbortController();
  const lost = new AbortController();
  const cancel = () => lost.abort(signal?.reason);
  signal?.addEventListener("abort", cancel);
  if (signal?.aborted) cancel();
  const renewing = (async () => {
    while (!ended.signal.aborted) {
      await sleep(WAITS.sessionRenewalMs, undefined, { signal: ended.signal }).catch(() => {});
      if (ended.signal.aborted) return;
      try {
        await client.renewWrite(session, { timeoutMs: WAITS.sessionRenewalMs, signal: ended.signal });
      } catch (error) {
        // Other errors pass, such as a sidecar that is away for a moment. The lease may still live.
        if (error instanceof LockstepError && error.code === "WRITE_DROPPED") return lost.abort(error);
      }
    }
  })();
  try {
    const result = await work(lost.signal);
    lost.signal.throwIfAborted();
    return result;
  } finally {
    signal?.removeEventListener("abort", cancel);
    ended.abort();
    await renewing;
  }
}

/** Lands the session. Asks again until it is known whether it landed. */
async function land(client: Methods, session: object) {
  const until = performance.now() + LANDING_MS;
  for (;;) {
    try {
      return await client.bumpVersion(session, { timeoutMs: until - performance.now() });
    } catch (error) {
      const unknown = error instanceof LockstepError && error.code === "OUTCOME_UNKNOWN";
      if (!unknown || performance.now() + ASK_AGAIN_MS >= until) throw error;
      await sleep(ASK_AGAIN_MS);
    }
  }
}
