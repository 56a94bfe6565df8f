// AbortWrite: drops a write session and keeps its changes.
import type { RefName } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { findSession, noteDropped, type Session } from "../../store/write/sessions.ts";
import { settleWrite } from "../../store/write/writes.ts";
import type { SyncContext } from "../device/context.ts";
import { callerText } from "../device/session-caller.ts";
import { abandonTurn } from "../turn/abandon.ts";
import { endScratch } from "./end-sessions.ts";
import { type SessionCall, sessionOf } from "./renew-write.ts";

export interface AbortWrite extends SessionCall {
  /** Names the session in place of the token. Only for an operator. */
  readonly writeId: string;
  readonly reason: string;
}

/**
 * Drops a session: the caller's own, or any if the caller is an operator. If the session is on this device, keeps its
 * changes below refs/lockstep/dropped/ in this replica. Returns the names of those refs. Repeatable. Throws
 * WRITE_NOT_FOUND, PERMISSION_DENIED, and WRITE_DROPPED when the write has landed.
 */
export async function abortWrite(
  context: SyncContext,
  call: AbortWrite,
): Promise<{ writeId: string; savedRefs: RefName[] }> {
  const { repository, caller } = call;
  const session = call.token === "" && call.writeId !== "" ? await named(context, call) : await anyOf(context, call);
  const { writeId } = session;
  return await context.sessions.exclusively(writeId, async () => {
    const author = callerText(caller);
    const isOwn = session.caller === author;
    const settled = await settleWrite(
      context.db,
      context.me,
      session,
      isOwn ? call.reason || "the caller gave it up" : `${author} ended it${call.reason && `: ${call.reason}`}`,
    );
    abandonTurn(context, session);
    if (settled.status === "landed") {
      throw new LockstepError(
        "WRITE_DROPPED",
        `The write ${writeId} has landed as version ${settled.version}; it cannot be dropped any more; write the opposite change.`,
        { details: { version: String(settled.version) } },
      );
    }
    if (!isOwn && session.status === "staged") await noteDropped(context.db, { author, repository, session });
    return { writeId, savedRefs: await endScratch(context, writeId, repository) };
  });
}

async function anyOf(context: SyncContext, call: AbortWrite): Promise<Session> {
  return await sessionOf(context, call, () => true);
}

async function named(context: SyncContext, { repository, writeId, caller }: AbortWrite): Promise<Session> {
  if (caller.role !== "operator") {
    throw new LockstepError(
      "PERMISSION_DENIED",
      "Only an operator may drop a write session by its write id; send the token that BeginWrite gave.",
    );
  }
  const session = await findSession(context.db, repository, { writeId });
  if (session) return session;
  throw new LockstepError("WRITE_NOT_FOUND", `Repository ${repository} has no write session ${writeId}.`);
}
