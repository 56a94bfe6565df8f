// The begin of a write session: the turn, the head, a scratch repository.
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { reach } from "../crash-points.ts";
import type { Version } from "../domain.ts";
import { describe, LockstepError } from "../errors.ts";
import { STATE_DIR } from "../git/root-record.ts";
import { createScratch, readScratch, scratchPath } from "../git/scratch.ts";
import { fenced } from "../store/replicas.ts";
import { repositoryNotFound } from "../store/repositories.ts";
import { beginSession, renewSession } from "../store/sessions.ts";
import { abandon, abandonTurn } from "./abandon.ts";
import { beforeRead, locate } from "./before-read.ts";
import type { SyncContext } from "./context.ts";
import { beginLive } from "./live.ts";
import type { Replica } from "./replica.ts";
import { leaseLost, whileRenewing } from "./session.ts";
import { Stopwatch } from "./stopwatch.ts";
import { waitForTurn, writesStopped } from "./turn.ts";

export interface BeginWrite {
  readonly repository: string;
  readonly author: string;
  readonly reason: string;
  /** How long to wait for the turn. */
  readonly waitMs: number;
  /** Chosen by the caller, so that it may repeat a call whose answer was lost. */
  readonly writeId: string;
  /** On the files of the replica itself, which serves nobody meanwhile. */
  readonly live?: boolean;
  readonly signal: AbortSignal;
}

export interface BegunWrite {
  readonly writeId: string;
  readonly token: string;
  readonly base: Version;
  readonly expiresAt: Date;
  /** The scratch repository, or the replica. */
  readonly path: string;
}

/**
 * Waits for the repository's turn, brings this replica to the head and makes the scratch repository. Repeated with the same id it
 * answers as before. Throws TURN_HELD, WRITES_STOPPED, INVALID_REQUEST when the id is that of a write that is
 * over, and what `beforeRead` throws.
 */
export async function beginWrite(context: SyncContext, request: BeginWrite): Promise<BegunWrite> {
  const { repository, writeId, author, reason, signal } = request;
  const clock = new Stopwatch();
  const { replica } = await locate(context, repository);
  const ticket = { repositoryId: replica.id, writeId, author, reason };
  try {
    await waitForTurn(context, repository, ticket, { patienceMs: request.waitMs, signal });
    await reach("session.turn");
    const begun = await beginSession(context.db, context.me, { ...ticket, token: randomUUID() });
    if (begun.outcome !== "begun") throw notBegun(context, repository, begun);
    clock.lap("turnMs");
    await reach("session.begun");
    const path = await whileRenewing(context, writeId, () =>
      context.sessions.exclusively(writeId, () => makePlace(context, replica, { ...request, base: begun.base }, clock)),
    );
    await reach("session.scratch");
    const expiresAt = await renewSession(context.db, context.me, writeId);
    if (expiresAt === undefined) throw leaseLost();
    const { laps, durationMs } = clock;
    context.log.info({ repository, write: writeId, author, reason, ...laps, durationMs }, "session begun");
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

/** Where the caller may write: made now, or by an earlier call. */
async function makePlace(
  context: SyncContext,
  replica: Replica,
  { writeId, base, live, author, reason, signal }: BeginWrite & { base: Version },
  clock: Stopwatch,
): Promise<string> {
  if (replica.outOfService?.writeId === writeId) return replica.gitDir;
  const path = scratchPath(join(context.root, STATE_DIR), writeId);
  if ((await readScratch(context.git, path, context.signal).catch(() => undefined)) !== undefined) return path;
  await beforeRead(context, replica.name, { minVersion: base, signal });
  clock.lap("readMs");
  await replica.mutex.runExclusive(async () => {
    if (replica.applied !== base) throw leaseLost();
    if (live) await beginLive(context, replica, { writeId, author, reason });
    else await createScratch(context.git, path, replica);
  });
  clock.lap("scratchMs");
  return live ? replica.gitDir : path;
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
