// Write sessions, for writers that make refs themselves: a web editor, a merge button, an import, an operator. The caller changes a
// scratch repository while the write has the repository's turn; only what differs at the end becomes a write, as a push does. Here is
// what its four calls share, and the shortest of them; the others are in begin-write.ts, bump-version.ts and abort-write.ts.
import { LockstepError } from "../errors.ts";
import { findSession, renewSession, type Session } from "../store/sessions.ts";
import type { SyncContext } from "./context.ts";

const RENEWAL_MS = 5_000;
const LEASE = "its lease ran out: a session must be renewed every few seconds";

/** Extends the lease of a session; returns when it ends then. Throws WRITE_DROPPED when the session is over. */
export async function renewWrite(context: SyncContext, repository: string, token: string): Promise<Date> {
  const session = await sessionOf(context, repository, token);
  const expiresAt = await renewSession(context.db, context.me, session.writeId);
  if (expiresAt !== undefined) return expiresAt;
  throw dropped(session.dropReason ?? (session.status === "landed" ? "it has landed" : LEASE));
}

/** The session that a token names, whatever became of it. Throws WRITE_NOT_FOUND. */
export async function sessionOf(context: SyncContext, repository: string, token: string): Promise<Session> {
  const [, writeId, secret] = /^([0-9a-f-]{36})\.([0-9a-f-]{36})$/.exec(token) ?? [];
  const session =
    writeId && secret ? await findSession(context.db, repository, { writeId, secret }).catch(noSuchUuid) : undefined;
  if (session) return session;
  throw new LockstepError(
    "WRITE_NOT_FOUND",
    `Repository ${repository} has no write session with this token; begin one with BeginWrite.`,
  );
}

/** 22P02: thirty-six characters, but no UUID. */
function noSuchUuid(error: unknown): undefined {
  if ((error as { code?: unknown }).code === "22P02") return undefined;
  throw error;
}

/** Keeps the lease of a session while this device itself works on it, however long that takes. */
export async function whileRenewing<T>(context: SyncContext, writeId: string, work: () => Promise<T>): Promise<T> {
  const renewal = setInterval(() => void renewSession(context.db, context.me, writeId).catch(() => {}), RENEWAL_MS);
  try {
    return await work();
  } finally {
    clearInterval(renewal);
  }
}

/** WRITE_DROPPED: the session was not renewed in time. */
export function leaseLost(): LockstepError {
  return dropped(LEASE);
}

/** WRITE_DROPPED, for that reason. */
export function dropped(reason: string, cause?: unknown): LockstepError {
  const message = `The write was dropped (${reason}); nothing of it landed, begin a new one.`;
  return new LockstepError("WRITE_DROPPED", message, { cause });
}
