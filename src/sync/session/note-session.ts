// Makes the row of the push log for a write session.
import { namedRefs, refusalOf, waitsOf } from "../../activity/activity.ts";
import type { RefUpdate, Version } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import type { Session } from "../../store/write/sessions.ts";
import type { Stopwatch } from "../../telemetry/stopwatch.ts";
import type { SyncContext } from "../device/context.ts";
import type { SessionCall } from "./renew-write.ts";

/** Notes a session that has landed with that version, or failed with that error. */
export function noteSession(
  { events }: SyncContext,
  { repository, from = null }: SessionCall,
  { repositoryId, author, writeId }: Pick<Session, "repositoryId" | "author" | "writeId">,
  { updates, clock, outcome }: { updates: readonly RefUpdate[]; clock: Stopwatch; outcome: Version | Error },
): void {
  const unknown =
    outcome instanceof LockstepError && ["OUTCOME_UNKNOWN", "DATABASE_UNAVAILABLE"].includes(outcome.code);
  events.pushed({
    endedAt: performance.now(),
    client: { author, address: from, way: "session", requestId: writeId },
    repository,
    repositoryId,
    ...(typeof outcome === "bigint"
      ? { result: updates.length === 0 ? "unchanged" : "landed", version: updates.length === 0 ? null : outcome }
      : { result: unknown ? "unknown" : "refused", version: null }),
    ...(typeof outcome === "bigint" ? { code: null, reason: null } : refusalOf(outcome)),
    refs: namedRefs(updates, () => null),
    refsTotal: updates.length,
    durationMs: clock.durationMs,
    waits: waitsOf(clock, { before: 0, update: 0 }),
  });
}
