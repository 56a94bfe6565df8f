import type { GetRepositoryRequest__Output as Request } from "../../generated/lockstep/v1/GetRepositoryRequest.ts";
import type { GetRepositoryResponse as Response } from "../../generated/lockstep/v1/GetRepositoryResponse.ts";
import { repositoryName } from "../../names.ts";
import { toDuration, toTimestamp } from "../../protocol/times.ts";
import { replicasOf } from "../../store/replica/replicas.ts";
import { recentSyncs, type SyncEventRow } from "../../store/replica/sync-events.ts";
import { findRepository } from "../../store/repository/repositories.ts";
import { currentWriter } from "../../store/write/find-write.ts";
import { listTickets, type QueuedTicket } from "../../store/write/turns.ts";
import { listWriteStops } from "../../store/write/write-stops.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { encodeRepository, encodeState, encodeWrite, encodeWriteStop } from "../encode/encode.ts";
import { encodeScrub } from "../encode/encode-scrub.ts";

const SYNCS = 10;

export const getRepository =
  (context: SyncContext) =>
  async (request: Request): Promise<Response> => {
    const repository = await findRepository(context.db, repositoryName(request.repository));
    const { id, headVersion } = repository;
    const [replicas, writer, tickets, syncs, writeLocks] = await Promise.all([
      replicasOf(context.db, id),
      currentWriter(context.db, id),
      listTickets(context.db, id),
      recentSyncs(context.db, id, SYNCS),
      listWriteStops(context.db, id),
    ]);
    return {
      repository: encodeRepository(repository),
      replicas: replicas.map((replica) => ({
        device: replica.device,
        version: String(replica.version),
        state: encodeState(replica.state),
        leader: replica.state === "active" && replica.version >= headVersion,
        live: replica.live,
        awaySince: toTimestamp(replica.awaySince),
        wanted: replica.wanted,
        lastError: replica.lastError ?? "",
        updatedAt: toTimestamp(replica.updatedAt),
        scrub:
          replica.scrub === null
            ? undefined
            : encodeScrub({ ...replica, repository: repository.name, at: replica.scrubbedAt, overdue: false }),
      })),
      writer: writer && encodeWrite(writer),
      waiters: tickets.filter(({ writeId }) => writeId !== writer?.ticket).map(encodeTicket),
      syncs: syncs.map(encodeSync),
      writeLocks: writeLocks.map(encodeWriteStop),
    };
  };

function encodeTicket({ device, author, reason, since, waitedMs }: QueuedTicket) {
  return { device, author, reason, since: toTimestamp(since), waited: toDuration(waitedMs) };
}

function encodeSync({ fromVersion, version, bytes, durationMs, error, at, ...event }: SyncEventRow) {
  return {
    ...event,
    fromVersion: String(fromVersion),
    version: String(version),
    bytes: String(bytes),
    duration: toDuration(durationMs),
    error: error ?? "",
    at: toTimestamp(at),
  };
}
