// Makes the decision, also in doubt. An error of the bump proves nothing. The sidecar asks for the row, with the same
// id, until the database answers, and that answer is final. An unknown outcome is never reported as known.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, LockstepError } from "../../errors.ts";
import { doubtReplicaRecord } from "../../git/root/root-record.ts";
import { isPermanent } from "../../store/database/sqlstate.ts";
import {
  type LandOutcome,
  type LandRequest,
  landWrite,
  type Settled,
  settleWrite,
  type WriteIdentity,
} from "../../store/write/writes.ts";
import { WAITS } from "../../waits.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { abandon } from "../turn/abandon.ts";

/** "failed": the write was dropped because of an error of the database. */
export type Decision = LandOutcome | { outcome: "failed"; error: unknown };

/**
 * Lands the write, or proves that it is dropped and says why. The caller holds the ref locks meanwhile. Throws
 * OUTCOME_UNKNOWN when the database has not answered for `context.inDoubtMs`.
 */
export async function decide(
  context: SyncContext,
  replica: Replica,
  request: LandRequest & WriteIdentity,
): Promise<Decision> {
  let why: Exclude<Decision, { outcome: "landed" }> = { outcome: "dropped" };
  try {
    const answer = await landWrite(context.db, context.me, request);
    if (answer.outcome === "landed") return answer;
    why = answer;
  } catch (error) {
    why = { outcome: "failed", error: withId(context, error) };
    context.log.warn(
      { repository: replica.name, write: request.writeId, err: describe(error) },
      "the decision is in doubt, asking for it",
    );
  }
  const settled = await settle(context, replica, request, why.outcome);
  return settled.status === "landed" ? { outcome: "landed", version: settled.version } : why;
}

/** Returns the error that the pusher is told. For a bug that is an id; the log has the stack under it. */
function withId(context: SyncContext, error: unknown): unknown {
  if (error instanceof LockstepError || !isPermanent(error)) return error;
  const id = randomUUID();
  context.log.error({ id, err: error }, "an error that nobody expected");
  const sentence = `An internal error; nothing was written, the server's log has it under ${id}.`;
  return new LockstepError("INTERNAL", sentence, { cause: error, details: { id } });
}

/**
 * Returns the final outcome of a write: dropped, unless it has landed. `why`: the answer of the bump; "failed" if there
 * was none. Throws OUTCOME_UNKNOWN when the database has not answered for `context.inDoubtMs`.
 */
export async function settle(
  context: SyncContext,
  replica: Replica,
  write: WriteIdentity,
  why: string,
): Promise<Settled> {
  const deadline = performance.now() + context.inDoubtMs;
  using _ = why === "failed" ? context.metrics.inDoubt() : undefined;
  for (;;) {
    try {
      return await settleWrite(
        context.db,
        context.me,
        write,
        why === "failed" ? "the database did not confirm it" : `not landed: ${why}`,
      );
    } catch (error) {
      if (performance.now() > deadline || context.signal.aborted) {
        replica.applied = undefined;
        // The note has said so since before the decision. A disk that does not take it now makes no outcome known.
        await doubtReplicaRecord(replica.gitDir).catch((refused: unknown) => {
          context.log.warn({ repository: replica.name, err: describe(refused) }, "the note of a doubt was not written");
        });
        // Nobody waits for the outcome any more. When the database is back, the row becomes final all the same.
        abandon(context, write, "the database did not confirm it in time");
        throw new LockstepError(
          "OUTCOME_UNKNOWN",
          `The database did not say whether the write ${write.writeId} landed; ask for it later with GetWrite.`,
          { cause: error, details: { write: write.writeId } },
        );
      }
      await sleep(WAITS.askOutcomeAgainMs, undefined, { signal: context.signal }).catch(() => {});
    }
  }
}
