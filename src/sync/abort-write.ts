import type { RefName } from "../domain.ts";
import { LockstepError } from "../errors.ts";
import { settleWrite } from "../store/writes.ts";
import { abandonTurn } from "./abandon.ts";
import type { SyncContext } from "./context.ts";
import { sessionOf } from "./session.ts";
import { endScratch } from "./session-end.ts";

/**
 * Drops a session; what the caller changed is kept below refs/lockstep/dropped/ in this replica. Returns the names of those refs.
 * Repeatable. Throws WRITE_NOT_FOUND, and WRITE_DROPPED when it has landed.
 */
export async function abortWrite(
  context: SyncContext,
  repository: string,
  token: string,
  reason: string,
): Promise<{ writeId: string; savedRefs: RefName[] }> {
  const { writeId } = await sessionOf(context, repository, token);
  return await context.sessions.exclusively(writeId, async () => {
    const settled = await settleWrite(context.db, writeId, reason || "the caller gave it up");
    abandonTurn(context, writeId);
    if (settled.status === "landed") {
      throw new LockstepError(
        "WRITE_DROPPED",
        `The write ${writeId} has landed as version ${settled.version}; it cannot be dropped any more, write its opposite.`,
        { details: { version: String(settled.version) } },
      );
    }
    return { writeId, savedRefs: await endScratch(context, writeId, repository) };
  });
}
