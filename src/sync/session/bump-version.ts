// Lands a write session. The differences between its scratch and its base become a write, all of them or none.
import { join } from "node:path";
import { describeUnacceptable } from "../../acceptable-ref.ts";
import { crashPoint } from "../../crash-points.ts";
import { displayRef, type RefName, type RefUpdate, type Version } from "../../domain.ts";
import { describe, LockstepError } from "../../errors.ts";
import { incompleteUpdates } from "../../git/objects/whole-updates.ts";
import { STATE_DIR } from "../../git/root/root-record.ts";
import { scratchPath } from "../../git/scratch/scratch.ts";
import { readScratch, type ScratchChanges, takeObjects } from "../../git/scratch/scratch-changes.ts";
import { repositoryNotFoundError } from "../../store/repository/former-names.ts";
import { landUnchanged, type Session } from "../../store/write/sessions.ts";
import { settleWrite } from "../../store/write/writes.ts";
import { Stopwatch } from "../../telemetry/stopwatch.ts";
import type { SyncContext } from "../device/context.ts";
import { endLiveOf } from "../replica/out-of-service.ts";
import { abandonTurn, turnMoved } from "../turn/abandon.ts";
import { land } from "../write/land.ts";
import { endScratchOrLater } from "./end-sessions.ts";
import { noteSession } from "./note-session.ts";
import { droppedError, leaseLostError, type SessionCall, sessionOf, whileRenewing } from "./renew-write.ts";
import { SessionWriter } from "./session-writer.ts";

export interface LandedSession {
  readonly writeId: string;
  readonly version: Version;
  readonly refsChanged: number;
}

/** Operators may read the outcome of a session that is over, on any device: it is no secret. */
const isOver = ({ status }: Session): boolean => status !== "staged";

/**
 * Lands the caller's changes in the scratch repository, all of them or none. A repeated call, however late, gets the
 * same answer. Throws WRITE_DROPPED with the reason; the changes are then kept (`abortWrite` tells where). Throws
 * OUTCOME_UNKNOWN (call again), WRITE_NOT_FOUND, and what `endLive` throws.
 */
export async function landSession(context: SyncContext, call: SessionCall): Promise<LandedSession> {
  const { repository } = call;
  const { writeId } = await sessionOf(context, call, isOver);
  return await context.sessions.exclusively(writeId, async () => {
    // Read again, now that no other call works on the session.
    const session = await sessionOf(context, call, isOver);
    if (session.status === "dropped") throw droppedError(session.dropReason ?? "");
    if (session.status === "landed") return landedAs(session);
    if (session.device !== context.me.device) {
      throw new LockstepError(
        "WRITE_DROPPED",
        `The scratch repository of write ${writeId} is on device ${session.device}; land or drop it there.`,
        { details: { device: session.device } },
      );
    }
    await endLiveOf(context, repository, writeId);
    const landed = await whileRenewing(context, writeId, () => landOpenSession(context, call, session));
    await crashPoint("session.landed");
    // The write has landed. If the scratch cannot be removed now, `endSessions` tries again.
    await endScratchOrLater(context, writeId, repository);
    return landed;
  });
}

function landedAs({ writeId, version, refsChanged }: Session): LandedSession {
  return { writeId, version: version ?? 0n, refsChanged };
}

async function landOpenSession(context: SyncContext, call: SessionCall, session: Session): Promise<LandedSession> {
  const { repository } = call;
  const { writeId, author, heldMs } = session;
  const clock = new Stopwatch();
  let updates: readonly RefUpdate[] = [];
  const note = (outcome: Version | Error) => noteSession(context, call, session, { updates, clock, outcome });
  try {
    const changes = await readScratch(context.git, scratchPath(join(context.root, STATE_DIR), writeId), context.signal);
    clock.lap("compareMs");
    ({ updates } = changes);
    const unacceptable = describeUnacceptable(changes.updates);
    if (unacceptable !== "") throw droppedError(unacceptable);
    const version =
      changes.updates.length === 0
        ? await asItWas(context, session)
        : await landChanges(context, repository, session, { changes, clock });
    const refsChanged = changes.updates.length;
    const { laps, durationMs } = clock;
    context.log.info(
      { repository, version: String(version), write: writeId, author, refs: refsChanged, heldMs, ...laps, durationMs },
      "session landed",
    );
    note(version);
    return { writeId, version, refsChanged };
  } catch (error) {
    note(error instanceof Error ? error : new Error(String(error)));
    if (error instanceof LockstepError && (error.code === "OUTCOME_UNKNOWN" || error.code === "DATABASE_UNAVAILABLE"))
      throw error;
    // Nothing of the session has landed or will land. If the row says otherwise, the row is the answer.
    const settled = await settleWrite(context.db, context.me, session, describe(error));
    if (settled.status === "landed") return landedAs(await sessionOf(context, call));
    abandonTurn(context, session);
    await endScratchOrLater(context, writeId, repository);
    throw error instanceof LockstepError && error.code === "WRITE_DROPPED"
      ? error
      : droppedError(describe(error), error);
  }
}

async function asItWas(context: SyncContext, { writeId, repositoryId }: Session): Promise<Version> {
  const settled = await landUnchanged(context.db, context.me, writeId);
  turnMoved(context, repositoryId);
  if (settled?.status !== "landed") throw settled ? droppedError(settled.reason) : leaseLostError();
  return settled.version;
}

async function landChanges(
  context: SyncContext,
  repository: string,
  session: Session,
  { changes, clock }: { changes: ScratchChanges; clock: Stopwatch },
): Promise<Version> {
  const found = context.replicas.findByName(repository);
  if (found === undefined) throw repositoryNotFoundError(repository);
  const scratch = scratchPath(join(context.root, STATE_DIR), session.writeId);
  using _claim = await found.objects.claim();
  await takeObjects(context.git, scratch, found.gitDir, changes, context.signal);
  const incomplete = await incompleteUpdates(context.git, found.gitDir, changes.updates, { signal: context.signal });
  if (incomplete.size > 0) throw droppedError(inWords(incomplete));
  clock.lap("objectsMs");
  await crashPoint("session.taken");
  const writer = new SessionWriter(context, repository, session, { updates: changes.updates, clock });
  const replica = await writer.read();
  clock.lap("readMs");
  const landed = await land(context, writer, replica);
  if (!landed?.version) throw droppedError(inWords(landed?.report.refusals ?? []));
  return landed.version;
}

/** Describes refs, each with the reason of its refusal. */
function inWords(refused: Iterable<[RefName, string]>): string {
  return [...refused].map(([name, why]) => `${displayRef(name)}: ${why}`).join("; ");
}
