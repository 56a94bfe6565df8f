// The decision and its doubts. An error of the bump proves nothing: the row is asked, with the same id, until it answers; asking
// makes it final. What stays unknown is never reported as known.
import { setTimeout as sleep } from "node:timers/promises";
import { describe, LockstepError } from "../errors.ts";
import { doubtReplicaRecord } from "../git/root-record.ts";
import { type Bumped, type BumpRequest, bump, type Settled, settleWrite } from "../store/writes.ts";
import { abandon } from "./abandon.ts";
import type { SyncContext } from "./context.ts";
import type { Replica } from "./replica.ts";

export type Decision = Bumped;

const ASK_AGAIN_MS = 500;

/**
 * Lands the write, or proves that it is dropped and says why. The caller holds the ref locks meanwhile. Throws OUTCOME_UNKNOWN
 * when the database has not answered for `context.inDoubtMs`.
 */
export async function decide(context: SyncContext, replica: Replica, request: BumpRequest): Promise<Decision> {
  let why: Exclude<Bumped, { outcome: "landed" }> = { outcome: "dropped" };
  try {
    const bumped = await bump(context.db, context.me, request);
    if (bumped.outcome === "landed") return bumped;
    why = bumped;
  } catch (error) {
    context.log.warn(
      { repository: replica.name, write: request.writeId, err: describe(error) },
      "the decision is in doubt, asking for it",
    );
  }
  const settled = await settle(context, replica, request.writeId, why.outcome);
  return settled.status === "landed" ? { outcome: "landed", version: settled.version } : why;
}

async function settle(context: SyncContext, replica: Replica, writeId: string, why: string): Promise<Settled> {
  const deadline = performance.now() + context.inDoubtMs;
  for (;;) {
    try {
      return await settleWrite(
        context.db,
        writeId,
        why === "dropped" ? "the database did not confirm it" : `not landed: ${why}`,
      );
    } catch (error) {
      if (performance.now() > deadline || context.signal.aborted) {
        replica.applied = undefined;
        await doubtReplicaRecord(replica.gitDir);
        // Nobody waits for it any more; once the database is back its row becomes final all the same.
        abandon(context, writeId, "the database did not confirm it in time");
        throw new LockstepError(
          "OUTCOME_UNKNOWN",
          `The database did not say whether the write ${writeId} landed; ask for it later with GetWrite.`,
          { cause: error, details: { write: writeId } },
        );
      }
      await sleep(ASK_AGAIN_MS, undefined, { signal: context.signal }).catch(() => {});
    }
  }
}
