// Renews write sessions, and holds what their four calls share. A session is for writers that make refs themselves: a
// web editor, a merge button, an import, an operator. The caller changes a scratch repository while the write has the
// repository's turn. The differences at the end become a write, like those of a push. The other calls: begin-write.ts,
// bump-version.ts, abort-write.ts.
import { LockstepError } from "../../errors.ts";
import { findSession, renewSession, type Session } from "../../store/write/sessions.ts";
import { WAITS } from "../../waits.ts";
import type { SyncContext } from "../device/context.ts";
import { callerText, parseToken, type SessionCaller } from "../device/session-caller.ts";

const LEASE = "its lease ran out: a session must be renewed every few seconds";

/**
 * Extends the lease of a session and returns its new end. Throws WRITE_DROPPED when the session is over, and what
 * `sessionOf` throws.
 */
export async function renewWrite(context: SyncContext, call: SessionCall): Promise<Date> {
  const session = await sessionOf(context, call);
  const expiresAt = await renewSession(context.db, context.me, session.writeId);
  if (expiresAt !== undefined) return expiresAt;
  throw droppedError(session.dropReason ?? (session.status === "landed" ? "it has landed" : LEASE));
}

/** A call of `caller` about the session that `token` names. */
export interface SessionCall {
  readonly repository: string;
  readonly token: string;
  readonly caller: SessionCaller;
  /** The address of the caller; null: it is on this machine. */
  readonly from?: string | null;
}

/**
 * Returns the session that a token names, also one that is over. It belongs to the caller, unless `operatorsMay` lets
 * an operator in. Throws WRITE_NOT_FOUND, PERMISSION_DENIED.
 */
export async function sessionOf(
  context: SyncContext,
  { repository, token, caller }: SessionCall,
  operatorsMay: (session: Session) => boolean = () => false,
): Promise<Session> {
  const named = parseToken(token);
  const session = named && (await findSession(context.db, repository, named));
  if (session === undefined) {
    throw new LockstepError(
      "WRITE_NOT_FOUND",
      `Repository ${repository} has no write session with this token; begin one with BeginWrite.`,
    );
  }
  if (session.caller === callerText(caller) || (caller.role === "operator" && operatorsMay(session))) return session;
  throw new LockstepError(
    "PERMISSION_DENIED",
    "The write session belongs to another caller, who alone may renew or land it; an operator may drop it; begin one of your own.",
  );
}

/** Renews the lease of a session while this device itself works on it, however long that takes. */
export async function whileRenewing<T>(context: SyncContext, writeId: string, work: () => Promise<T>): Promise<T> {
  const renewal = setInterval(
    () => void renewSession(context.db, context.me, writeId).catch(() => {}),
    WAITS.sessionRenewalMs,
  );
  try {
    return await work();
  } finally {
    clearInterval(renewal);
  }
}

/** Makes the error WRITE_DROPPED: the session was not renewed in time. */
export function leaseLostError(): LockstepError {
  return droppedError(LEASE);
}

/** Makes the error WRITE_DROPPED for that reason. */
export function droppedError(reason: string, cause?: unknown): LockstepError {
  const message = `The write was dropped (${reason}); nothing of it landed, begin a new one.`;
  return new LockstepError("WRITE_DROPPED", message, { cause });
}
