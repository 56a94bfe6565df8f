// UndoVersion: appends the opposite of an earlier version. The first call shows the changes. The second call, with the
// confirmation from the first, makes them, as a write like any other. The log only ever grows.
import { crashPoint } from "../../crash-points.ts";
import { displayRef, objectIds, type Version } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { renewObjects } from "../../git/objects/renew-objects.ts";
import { readUnchangedTips, TIPS_OFFERED } from "../../store/log/unchanged-tips.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { beforeRead } from "../read/before-read.ts";
import { land } from "../write/land.ts";
import { confirmationOf, planUndo, type UndoPlan } from "./undo-plan.ts";
import { UndoWriter } from "./undo-writer.ts";

export interface UndoRequest {
  readonly repository: string;
  readonly version: Version;
  /** Empty: change nothing. */
  readonly confirmation: string;
  readonly author: string;
  readonly reason: string;
  /** Aborts when the caller is gone. */
  readonly signal: AbortSignal;
}

export interface Undo {
  readonly plan: UndoPlan;
  /** Identifies this plan and no other. */
  readonly confirmation: string;
  /** The version that was appended. null: nothing was changed. */
  readonly landed: Version | null;
}

/**
 * Returns the opposite of the version. With the confirmation of that plan, appends it. Throws UNDO_REFUSED, and
 * WRITE_DROPPED when the refs are no longer as the operator was shown them. Throws WRITES_STOPPED, TURN_HELD,
 * NOT_ENOUGH_COPIES, OUTCOME_UNKNOWN, and what `beforeRead` throws.
 */
export async function undoVersion(context: SyncContext, request: UndoRequest): Promise<Undo> {
  const { repository, version, signal } = request;
  const { replica } = await beforeRead(context, repository, { forPush: true, signal });
  // The objects of the earlier values may be old, with no ref that keeps them.
  using _claim = await replica.objects.claim();
  const plan = await planUndo(context, replica, version, signal);
  const confirmation = confirmationOf(plan);
  if (request.confirmation === "") return { plan, confirmation, landed: null };
  if (request.confirmation !== confirmation) throw changedError(repository, "it would change other refs now");
  await renew(context, replica, plan, signal);
  await crashPoint("undo.renewed");
  using writer = new UndoWriter(context, replica, plan, request);
  const done = await land(context, writer, replica);
  if (!done?.version) {
    const refusals = (done?.report.refusals ?? []).map(([name, why]) => `${displayRef(name)}: ${why}`);
    throw changedError(repository, refusals.slice(0, 10).join("; "));
  }
  const { author, reason } = request;
  context.log.warn(
    {
      repository,
      version: String(done.version),
      undoes: String(version),
      author,
      reason,
      refs: plan.updates.length,
      ...writer.clock.laps,
      durationMs: writer.clock.durationMs,
    },
    "an operator undid a version",
  );
  return { plan, confirmation, landed: done.version };
}

/** Writes the objects of the earlier values anew, which may be as old as those that a clean-up takes. */
async function renew(context: SyncContext, replica: Replica, { head, updates }: UndoPlan, signal: AbortSignal) {
  const tips = await readUnchangedTips(context.db, replica.id, head, TIPS_OFFERED);
  await renewObjects(
    context.git,
    replica.gitDir,
    {
      wants: objectIds(updates.map(({ newValue }) => newValue)),
      haves: objectIds([...updates.map(({ oldValue }) => oldValue), ...tips]),
    },
    signal,
  );
}

function changedError(name: string, why: string): LockstepError {
  return new LockstepError(
    "WRITE_DROPPED",
    `The refs of ${name} are no longer as they were shown (${why}); nothing was changed, look again.`,
  );
}
