import { toBytes, toLatin1 } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import type { BeforeReadRequest__Output as Request } from "../../generated/lockstep/v1/BeforeReadRequest.ts";
import type { BeforeReadResponse as Response } from "../../generated/lockstep/v1/BeforeReadResponse.ts";
import { repositoryName } from "../../names.ts";
import { toDuration, toMs } from "../../protocol/times.ts";
import { noteGranted, noteRefused } from "../../sync/activity/note-read.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { type ReadGrant, type ReadOptions, beforeRead as waitForRead } from "../../sync/read/before-read.ts";
import { readWithCommit, readWithStaleness } from "../../sync/read/commit-or-stale.ts";
import type { CallContext } from "../call/call.ts";
import { readerOf } from "../encode/reader.ts";

export const beforeRead =
  (context: SyncContext) =>
  async (request: Request, { caller, signal }: CallContext): Promise<Response> => {
    const startedAt = performance.now();
    const name = repositoryName(request.repository);
    const options = { minVersion: BigInt(request.minVersion), forPush: request.forPush, signal };
    const maxStaleness = toMs(request.maxStaleness as never);
    const asked = { commit: request.commit, maxStaleness, options };
    const client = readerOf(request.reader, `${caller.role} ${caller.name}`, "frontend");
    const read = { client, repository: name, what: request.forPush ? "push" : "read", startedAt } as const;
    try {
      const granted = await grant(context, name, asked);
      if (!request.reportsReads) noteGranted(context, read, granted);
      return { ...answerOf(granted, startedAt), ...changesIn(granted, request.changesSince) };
    } catch (error) {
      if (!request.reportsReads) noteRefused(context, read, error);
      throw error;
    }
  };

function answerOf({ replica, version, fetched, stale }: ReadGrant & { stale: boolean }, startedAt: number): Response {
  const now = performance.now();
  const unchanged = toDuration(now - replica.unchangedSince);
  return { version: String(version), fetched, stale, waited: toDuration(now - startedAt), unchanged };
}

/** Tells what has changed since the mark of an earlier answer, for a caller that wants to know. */
function changesIn({ replica, version }: ReadGrant, since: string): Pick<Response, "refsMark" | "changes"> {
  if (since === "") return {};
  const refsMark = replica.history.markOf(version);
  const changes = replica.history.since(since, version);
  if (changes === undefined) return { refsMark };
  const told = [...changes].map(([name, value]) => ({
    name: toBytes(name),
    objectId: value === null ? "" : toLatin1(value),
  }));
  return { refsMark, changes: { changes: told } };
}

async function grant(
  context: SyncContext,
  name: string,
  { commit, maxStaleness, options }: { commit: string; maxStaleness: number | undefined; options: ReadOptions },
): Promise<ReadGrant & { stale: boolean }> {
  if (commit !== "" && maxStaleness !== undefined)
    throw new LockstepError("INVALID_REQUEST", "`commit` and `max_staleness` contradict each other; give one of them.");
  if (commit !== "") return { ...(await readWithCommit(context, name, commit, options)), stale: false };
  if (maxStaleness !== undefined) return await readWithStaleness(context, name, maxStaleness, options);
  return { ...(await waitForRead(context, name, options)), stale: false };
}
