// Makes the rows for callers who asked before a read. A push asks too, before it is uploaded. If it is refused then, it
// belongs into the push log.
import { type Client, NO_WAITS, type PullEvent, refusalOf, shortText } from "../../activity/activity.ts";
import type { Version } from "../../domain.ts";
import type { SyncContext } from "../device/context.ts";

/** Who asked, for what, and when. */
export interface AskedRead {
  readonly client: Client;
  readonly repository: string;
  readonly what: PullEvent["what"];
  /** On the clock of `performance`. */
  readonly startedAt: number;
}

/** Notes that somebody was let read at that version. */
export function noteGranted(
  { events, replicas }: SyncContext,
  { client, repository, what, startedAt }: AskedRead,
  { version, fetched, stale = false }: { version: Version; fetched: boolean; stale?: boolean },
): void {
  const endedAt = performance.now();
  const waitMs = endedAt - startedAt;
  events.pulled(() => ({
    ...{ endedAt, client, repository, what, version, waitMs, durationMs: waitMs, code: null, reason: null },
    repositoryId: replicas.findByName(repository)?.id ?? null,
    result: stale ? "stale" : fetched ? "caught_up" : "current",
  }));
}

/** Notes that somebody was refused, and why. */
export function noteRefused(context: SyncContext, asked: AskedRead, error: unknown): void {
  const { client, what, startedAt } = asked;
  const repository = shortText(asked.repository);
  const endedAt = performance.now();
  const waitMs = endedAt - startedAt;
  const refused = { endedAt, client, repository, repositoryId: null, version: null, result: "refused" } as const;
  const why = refusalOf(error);
  if (what === "push")
    context.events.pushed({
      ...{ ...refused, ...why, refs: [], refsTotal: 0, durationMs: waitMs },
      waits: { ...NO_WAITS, reads: waitMs },
    });
  else context.events.pulled(() => ({ ...refused, ...why, what, waitMs, durationMs: waitMs }));
}
