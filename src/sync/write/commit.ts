// Writes the refs after the decision: step 7 of a push.
import { crashPoint } from "../../crash-points.ts";
import type { Version } from "../../domain.ts";
import { describe } from "../../errors.ts";
import { wasKilled } from "../../git/git-error.ts";
import { applyRefs } from "../../git/refs/refs.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { markApplied, noteOnDisk, recordBeside } from "../replica/apply.ts";
import { turnMoved } from "../turn/abandon.ts";
import type { Prepared } from "./prepare-refs.ts";

/**
 * Writes the refs of a write that has landed. Other devices may already have it. If a step below fails, the next access
 * to this replica repeats it, and the pusher is told "ok".
 */
export async function commit(
  context: SyncContext,
  replica: Replica,
  { transaction, updates, afterwards }: Prepared & { outcome: "prepared" },
  target: { version: Version; digest: Buffer },
): Promise<void> {
  const from = replica.applied;
  replica.applied = undefined;
  let state = "landed, but not yet on this disk";
  try {
    await transaction.commit();
    if (afterwards.size > 0) {
      await crashPoint("refs.cleared");
      await applyRefs(context.git, replica.gitDir, afterwards, { kept: replica.keptGit });
    }
    state = "landed and on this disk, but the note beside the replica does not say so";
    await crashPoint("push.committed");
    const changes = new Map(updates.map(({ name, newValue }) => [name, newValue]));
    await markApplied(context, replica, { from, changes }, target);
    await crashPoint("push.applied");
    keepRecording(context, replica);
  } catch (error) {
    if (wasKilled(error)) replica.swept = false;
    context.log.error({ repository: replica.name, version: String(target.version), err: describe(error) }, state);
  }
  turnMoved(context, replica.id);
}

/**
 * Ends a write that has landed over versions which this disk does not have. Its refs stay those of its base, so the
 * disk is never a mixture of versions. A catch-up brings the versions between, and the write with them.
 */
export async function leaveDisk(
  context: SyncContext,
  replica: Replica,
  { transaction }: Prepared & { outcome: "prepared" },
  version: Version,
): Promise<void> {
  replica.landed = version;
  try {
    await transaction[Symbol.asyncDispose]();
    const { applied, appliedDigest } = replica;
    if (applied !== undefined)
      await noteOnDisk(context, replica, { version: applied, digest: Buffer.from(appliedDigest, "hex") });
    await crashPoint("over.left");
  } catch (error) {
    context.log.error(
      { repository: replica.name, version: String(version), err: describe(error) },
      "landed; the note beside the replica could not be written",
    );
  }
  turnMoved(context, replica.id);
}

/**
 * Syncs the refs and records their version in the background. One record at a time, and another one if a version has
 * landed since it began. The pusher need not wait: recovery writes refs again that power loss has taken. The row only
 * names one more source, and the log names the writer.
 */
function keepRecording(context: SyncContext, replica: Replica): void {
  const { recording } = replica;
  recording.isDue = true;
  if (recording.isUnderWay) return;
  recording.isUnderWay = true;
  recording.done = record(context, replica);
}

/** Never rejects. */
async function record(context: SyncContext, replica: Replica): Promise<void> {
  const { recording } = replica;
  while (recording.isDue) {
    recording.isDue = false;
    await recordBeside(context, replica).catch((error: unknown) =>
      context.log.warn({ repository: replica.name, err: describe(error) }, "could not record the version of a replica"),
    );
  }
  recording.isUnderWay = false;
}
