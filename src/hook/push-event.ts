// Makes the row of the push log for a push that git handed over.
import { clientOf, namedRefs, type PushEvent, refusalOf, shortText, waitsOf } from "../activity/activity.ts";
import { displayRef, type RefName, type RefUpdate } from "../domain.ts";
import { describe, LockstepError } from "../errors.ts";
import type { SyncContext } from "../sync/device/context.ts";
import type { PushReport } from "../sync/write/push-report.ts";
import type { Stopwatch } from "../telemetry/stopwatch.ts";
import { failSpan, noteOnSpan, noteSteps } from "../tracing/tracing.ts";
import { authorOf } from "./author.ts";
import type { Hello } from "./hello.ts";

/** How long the hooks of an operator took, in milliseconds. */
export interface HookTimes {
  /** pre-receive, with git's move of the objects behind it. */
  before: number;
  update: number;
}

/** A push, and its outcome: a report or an error. */
export interface AnsweredPush {
  readonly hello: Hello;
  /** undefined: the directory is no repository. */
  readonly repository: string | undefined;
  readonly updates: readonly RefUpdate[];
  readonly clock: Stopwatch;
  readonly hooks: HookTimes;
  readonly outcome: PushReport | Error;
}

/** Notes a push for the push log, after its answer. Never throws: that would take the answer back. */
export function notePush(context: SyncContext, push: AnsweredPush): void {
  try {
    note(context, push);
  } catch (error) {
    context.log.error({ repository: push.repository, err: describe(error) }, "could not note a push for the push log");
  }
}

function note(context: SyncContext, push: AnsweredPush): void {
  const { hello, repository, updates, clock, hooks, outcome } = push;
  const refused = outcome instanceof Error;
  noteOnSpan({ "lockstep.repository": repository ?? "", "lockstep.refs": updates.length, ...stepsOf(clock) });
  noteSteps(clock.steps);
  if (refused) failSpan(outcome instanceof LockstepError ? outcome.code : "INTERNAL");
  const why = (name: RefName) => (refused ? null : outcome.reasonOf(name));
  context.events.pushed({
    ...(refused ? failed(outcome) : reported(outcome)),
    endedAt: performance.now(),
    client: clientOf(hello.env, authorOf(hello.env)),
    repository: shortText(repository ?? hello.dir),
    repositoryId: (repository === undefined ? undefined : context.replicas.findByName(repository)?.id) ?? null,
    refs: namedRefs(updates, why),
    refsTotal: updates.length,
    durationMs: clock.durationMs + hooks.before,
    waits: waitsOf(clock, hooks),
  });
}

/** Returns the steps of a push, in milliseconds, as a span has them. */
function stepsOf({ laps }: Stopwatch): Record<string, number> {
  return Object.fromEntries(Object.entries(laps).map(([step, ms]) => [`lockstep.${step.slice(0, -2)}_ms`, ms]));
}

type Result = Pick<PushEvent, "result" | "version" | "code" | "reason">;

/** Returns the result of a push whose refs were decided. The first refusal stands for all. */
function reported({ version, refusals: [first] }: PushReport): Result {
  const reason = first === undefined ? null : shortText(`${displayRef(first[0])}: ${first[1]}`);
  if (version !== null) return { result: "landed", version, code: null, reason };
  return { result: first === undefined ? "unchanged" : "refused", version: null, code: null, reason };
}

function failed(error: Error): Result {
  // An unexpected error may have come after the decision.
  const unknown = !(error instanceof LockstepError) || error.code === "OUTCOME_UNKNOWN";
  return { result: unknown ? "unknown" : "refused", version: null, ...refusalOf(error) };
}
