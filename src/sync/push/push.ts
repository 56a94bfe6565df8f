// Handles a push that git's receive-pack handed over: first the policy, then one write that lands or is dropped as a
// whole. The locks are held for milliseconds, never for the upload. Before the bump everything may be thrown away.
// After it the write only goes forward.
import { join } from "node:path";
import type { Version } from "../../domain.ts";
import type { SyncContext } from "../device/context.ts";
import { land } from "../write/land.ts";
import { PushReport } from "../write/push-report.ts";
import type { Pusher, PushRequest } from "../write/request.ts";
import { applyPolicy } from "./push-policy.ts";
import { PushWriter } from "./push-writer.ts";
import { replicaOf } from "./replica-of.ts";
import type { StartedGit } from "./start-early.ts";

/**
 * Lands the refs that may land, and returns the outcome of each. Throws OUTCOME_UNKNOWN when the database did not say
 * whether the write landed: the pusher must then be told neither yes nor no. After every other error nothing has
 * landed. `started`: from `startGitEarly`; the caller disposes it.
 */
export async function push(
  context: SyncContext,
  request: PushRequest,
  pusher: Pusher,
  started?: StartedGit,
): Promise<PushReport> {
  const { clock } = request;
  const replica = await replicaOf(context, request.repository);
  // The directory may move meanwhile, because the repository is renamed.
  const { gitDir } = replica;
  clock.lap("readMs");
  const report = PushReport.of(request.updates);
  using _claim = await replica.objects.claim();
  const { allowed, hooks } = await applyPolicy(context, replica, request, report, pusher);
  clock.lap("policyMs");
  // The git that was started early uses the hooks of the repository itself.
  const hooksElsewhere = hooks !== join(gitDir, "hooks");
  const refAuthor = { ...request.refAuthor, hooks };
  const transaction = hooksElsewhere ? undefined : started?.transaction;
  const pushed = { request: { ...request, refAuthor }, allowed, report, pusher, started: transaction };
  using writer = new PushWriter(context, pushed, replica.id);
  if (replica.copiesRule.atLeast > 1 && allowed.length > 0) {
    await writer.holders.makeEarly(context, replica);
    clock.lap("copiesMs");
  }
  const landed = await land(context, writer, replica);
  if (landed === undefined) return report;
  report.version = landed.version;
  logPush(context, request, landed.version, writer.races);
  context.metrics.pushed(clock, writer.races);
  return report;
}

function logPush(
  context: SyncContext,
  { repository, author, updates, requestId, clock }: PushRequest,
  version: Version | null,
  races: number,
): void {
  context.log.info(
    {
      repository,
      version: version === null ? null : String(version),
      author,
      refs: updates.length,
      requestId,
      races,
      ...clock.laps,
      durationMs: clock.durationMs,
    },
    version === null ? "push changed nothing" : "push landed",
  );
}
