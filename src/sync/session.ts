// Write sessions, for writers that make refs themselves: a web editor, a merge button, an import, an operator. The caller changes a
// scratch repository while the write has the repository's turn; only what differs at the end becomes a write, as a push does.
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { reach } from "../crash-points.ts";
import type { RefName, Version } from "../domain.ts";
import { describe, LockstepError } from "../errors.ts";
import { STATE_DIR } from "../git/root-record.ts";
import { createScratch, readScratch, scratchPath, takeObjects } from "../git/scratch.ts";
import { fenced } from "../store/replicas.ts";
import { repositoryNotFound } from "../store/repositories.ts";
import { beginSession, findSession, landUnchanged, renewSession, type Session } from "../store/sessions.ts";
import { settleWrite } from "../store/writes.ts";
import { abandon, abandonTurn } from "./abandon.ts";
import { beforeRead, locate } from "./before-read.ts";
import type { SyncContext } from "./context.ts";
import { makeCopies } from "./copies.ts";
import type { Replica } from "./replica.ts";
import { endScratch } from "./session-end.ts";
import { Stopwatch } from "./stopwatch.ts";
import { waitForTurn, writesStopped } from "./turn.ts";
import { attemptWrite } from "./write.ts";

export interface BeginWrite {
  readonly repository: string;
  readonly author: string;
  readonly reason: string;
  /** How long to wait for the turn. */
  readonly waitMs: number;
  /** Chosen by the caller, so that it may repeat a call whose answer was lost. */
  readonly writeId: string;
  readonly signal: AbortSignal;
}

export interface BegunWrite {
  readonly writeId: string;
  readonly token: string;
  readonly base: Version;
  readonly expiresAt: Date;
  /** The scratch repository. */
  readonly path: string;
}

/**
 * Waits for the repository's turn, brings this replica to the head and makes the scratch repository. Repeated with the same id it
 * answers as before. Throws TURN_HELD, WRITES_STOPPED, INVALID_REQUEST when the id is that of a write that is
 * over, and what `beforeRead` throws.
 */
export async function beginWrite(context: SyncContext, request: BeginWrite): Promise<BegunWrite> {
  const { repository, writeId, author, reason, signal } = request;
  const { replica } = await locate(context, repository);
  const ticket = { repositoryId: replica.id, writeId, author, reason };
  try {
    await waitForTurn(context, repository, ticket, { patienceMs: request.waitMs, signal });
    await reach("session.turn");
    const begun = await beginSession(context.db, context.me, { ...ticket, token: randomUUID() });
    if (begun.outcome !== "begun") throw notBegun(context, repository, begun);
    await reach("session.begun");
    await beforeRead(context, repository, { minVersion: begun.base, signal });
    const path = scratchPath(join(context.root, STATE_DIR), writeId);
    await exclusively(context, writeId, () => makeScratch(context, replica, path, begun.base));
    await reach("session.scratch");
    const expiresAt = await renewSession(context.db, context.me, writeId);
    if (expiresAt === undefined) throw leaseLost();
    return { writeId, token: `${writeId}.${begun.token}`, base: begun.base, expiresAt, path };
  } catch (error) {
    // The ticket and the row are another call's.
    if (error instanceof IdInUse) throw error;
    abandonTurn(context, writeId);
    // Begun by this call or by one like it, it is of no use without an answer; the row of a write that is over stays as it is.
    abandon(context, writeId, `its session could not begin: ${describe(error)}`);
    throw error;
  }
}

async function makeScratch(context: SyncContext, replica: Replica, path: string, base: Version): Promise<void> {
  if ((await readScratch(context.git, path, context.signal).catch(() => undefined)) !== undefined) return;
  await replica.mutex.runExclusive(async () => {
    if (replica.applied !== base) throw leaseLost();
    await createScratch(context.git, path, replica);
  });
}

/** Extends the lease of a session; returns when it ends then. Throws WRITE_DROPPED when the session is over. */
export async function renewWrite(context: SyncContext, repository: string, token: string): Promise<Date> {
  const session = await sessionOf(context, repository, token);
  const expiresAt = await renewSession(context.db, context.me, session.writeId);
  if (expiresAt === undefined)
    throw dropped(session.dropReason ?? (session.status === "landed" ? "it has landed" : LEASE));
  return expiresAt;
}

export interface LandedSession {
  readonly writeId: string;
  readonly version: Version;
  readonly refsChanged: number;
}

/**
 * Lands what the caller changed in the scratch repository, all of it or nothing. Repeated, however late, it answers the same. Throws
 * WRITE_DROPPED with the reason, then what was changed is kept (`endScratch`); OUTCOME_UNKNOWN: call again; WRITE_NOT_FOUND.
 */
export async function bumpWrite(context: SyncContext, repository: string, token: string): Promise<LandedSession> {
  const { writeId } = await sessionOf(context, repository, token);
  return await exclusively(context, writeId, async () => {
    // Again, now that no other call works on it.
    const session = await sessionOf(context, repository, token);
    if (session.status === "dropped") throw dropped(session.dropReason ?? "");
    if (session.status === "landed")
      return { writeId, version: session.version ?? 0n, refsChanged: session.refsChanged };
    if (session.device !== context.me.device) {
      throw new LockstepError(
        "WRITE_DROPPED",
        `The scratch repository of write ${writeId} is on device ${session.device}; land or drop it there.`,
        { details: { device: session.device } },
      );
    }
    const result = await land(context, repository, session);
    await reach("session.landed");
    await endScratch(context, writeId, repository);
    return result;
  });
}

async function land(context: SyncContext, repository: string, session: Session): Promise<LandedSession> {
  const { writeId } = session;
  const path = scratchPath(join(context.root, STATE_DIR), writeId);
  // However long this takes, the lease is not to run out meanwhile.
  const renewal = setInterval(() => void renewSession(context.db, context.me, writeId).catch(() => {}), RENEWAL_MS);
  try {
    const changes = await readScratch(context.git, path, context.signal);
    if (changes.updates.length === 0) {
      const settled = await landUnchanged(context.db, context.me, writeId);
      if (settled?.status !== "landed") throw dropped(settled?.reason ?? LEASE);
      return { writeId, version: settled.version, refsChanged: 0 };
    }
    const replica = context.replicas.findByName(repository);
    if (replica === undefined) throw repositoryNotFound(repository);
    await takeObjects(context.git, path, replica.gitDir, changes, context.signal);
    await reach("session.taken");
    return {
      writeId,
      version: await attempt(context, repository, session, changes),
      refsChanged: changes.updates.length,
    };
  } catch (error) {
    if (error instanceof LockstepError && (error.code === "OUTCOME_UNKNOWN" || error.code === "DATABASE_UNAVAILABLE"))
      throw error;
    // Nothing of it landed, and nothing of it will: unless the row says otherwise, which is then the answer.
    const settled = await settleWrite(context.db, writeId, describe(error));
    if (settled.status === "landed") return { writeId, version: settled.version, refsChanged: 0 };
    abandonTurn(context, writeId);
    await endScratch(context, writeId, repository);
    throw error instanceof LockstepError && error.code === "WRITE_DROPPED" ? error : dropped(describe(error), error);
  } finally {
    clearInterval(renewal);
  }
}

/** The replica may have come into doubt since the session began; that much is healed, and tried again. */
const ATTEMPTS = 3;

async function attempt(
  context: SyncContext,
  repository: string,
  { writeId, base, author }: Session,
  { updates }: Awaited<ReturnType<typeof readScratch>>,
): Promise<Version> {
  const report = new Map<RefName, string | null>();
  let copies: string[] | undefined;
  for (let tries = 0; tries < ATTEMPTS; tries += 1) {
    const { replica } = await beforeRead(context, repository, { minVersion: base, signal: context.signal });
    const attempted = await attemptWrite(context, replica, {
      writeId,
      sessionBase: base,
      request: { updates, atomic: true, author },
      report,
      pusher: { gone: NOBODY_LEAVES },
      git: undefined,
      clock: new Stopwatch(),
      copies,
    });
    if (attempted.outcome === "copies") copies = await makeCopies(context, replica, { updates, rule: attempted.rule });
    if (attempted.outcome === "done" && attempted.version !== null) return attempted.version;
    if (attempted.outcome === "done") throw dropped([...report].map(([name, why]) => `${name}: ${why}`).join("; "));
    if (attempted.outcome === "drained") throw writesStopped(repository, attempted.reason);
    if (attempted.outcome === "turn") throw leaseLost();
  }
  throw dropped("another write landed since it began");
}

const NOBODY_LEAVES = new AbortController().signal;
const RENEWAL_MS = 5_000;
const LEASE = "its lease ran out: a session must be renewed every few seconds";

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
  return await exclusively(context, writeId, async () => {
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

async function sessionOf(context: SyncContext, repository: string, token: string): Promise<Session> {
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

/** One call at a time for each session, and none while its scratch is being removed. */
async function exclusively<T>(context: SyncContext, writeId: string, work: () => Promise<T>): Promise<T> {
  return await context.sessions.exclusively(writeId, work);
}

function notBegun(
  context: SyncContext,
  repository: string,
  begun: Exclude<Awaited<ReturnType<typeof beginSession>>, { outcome: "begun" }>,
): LockstepError {
  switch (begun.outcome) {
    case "fenced":
      context.onFenced();
      return fenced(context.me);
    case "missing":
      return repositoryNotFound(repository);
    case "drained":
      return writesStopped(repository, begun.reason);
    case "turn":
      return leaseLost();
    case "used":
      return new IdInUse();
  }
}

class IdInUse extends LockstepError {
  constructor() {
    super("INVALID_REQUEST", "The id is that of a write which is over, or of one on another device; choose a new one.");
  }
}

function leaseLost(): LockstepError {
  return dropped(LEASE);
}

function dropped(reason: string, cause?: unknown): LockstepError {
  return new LockstepError(
    "WRITE_DROPPED",
    `The write was dropped (${reason}); nothing of it landed, begin a new one.`,
    {
      cause,
    },
  );
}
