import { type Client, NO_WAITS, type PullEvent } from "../../activity/activity.ts";
import { LockstepError } from "../../errors.ts";
import type { AnsweredRead__Output as Read } from "../../generated/lockstep/v1/AnsweredRead.ts";
import type { ReportReadsRequest__Output as Request } from "../../generated/lockstep/v1/ReportReadsRequest.ts";
import type { ReportReadsResponse as Response } from "../../generated/lockstep/v1/ReportReadsResponse.ts";
import { toMs } from "../../protocol/times.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { readerOf } from "../encode/reader.ts";

const WHATS: readonly string[] = ["clone", "fetch", "refs", "push", "read"] satisfies PullEvent["what"][];

export const reportReads =
  (context: SyncContext) =>
  async ({ reads }: Request): Promise<Response> => {
    const unknown = reads.find(({ what }) => !WHATS.includes(what));
    if (unknown !== undefined)
      throw new LockstepError(
        "INVALID_REQUEST",
        `A read is one of ${WHATS.join(", ")}, not ${unknown.what || "empty"}.`,
      );
    for (const read of reads) note(context, read);
    return {};
  };

function note({ events, replicas }: SyncContext, read: Read): void {
  const client: Client = readerOf(read.reader, "anonymous", "http");
  const durationMs = toMs(read.took as never) ?? 0;
  const waitMs = toMs(read.waited as never) ?? 0;
  const answered = {
    client,
    repository: read.repository,
    repositoryId: replicas.findByName(read.repository)?.id ?? null,
    endedAt: performance.now() - (toMs(read.ago as never) ?? 0),
    durationMs,
    version: read.version === "0" ? null : BigInt(read.version),
    code: read.code || null,
    reason: read.reason || null,
  };
  const isRefused = read.code !== "" || read.reason !== "";
  if (isRefused && read.what === "push") {
    const waits = { ...NO_WAITS, reads: waitMs };
    events.pushed({ ...answered, result: "refused", refs: [], refsTotal: 0, waits });
    return;
  }
  const result = isRefused ? "refused" : read.fetched ? "caught_up" : "current";
  const what = read.what as PullEvent["what"];
  events.pulled(() => ({ ...answered, result, what, waitMs }), read.standsFor || 1);
}
