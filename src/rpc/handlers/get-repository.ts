import { repositoryName } from "../../domain.ts";
import type { GetRepositoryRequest__Output as Request } from "../../generated/lockstep/v1/GetRepositoryRequest.ts";
import type { GetRepositoryResponse as Response } from "../../generated/lockstep/v1/GetRepositoryResponse.ts";
import { toTimestamp } from "../../proto.ts";
import { replicasOf } from "../../store/replicas.ts";
import { findRepository } from "../../store/repositories.ts";
import { currentWriter } from "../../store/writes.ts";
import type { SyncContext } from "../../sync/context.ts";
import { encodeState, encodeWrite } from "../encode.ts";

export const getRepository =
  (context: SyncContext) =>
  async (request: Request): Promise<Response> => {
    const { id, name, headVersion, objectFormat } = await findRepository(
      context.db,
      repositoryName(request.repository),
    );
    const [replicas, writer] = await Promise.all([replicasOf(context.db, id), currentWriter(context.db, id)]);
    return {
      repository: { name, headVersion: String(headVersion), objectFormat },
      replicas: replicas.map((replica) => ({
        device: replica.device,
        version: String(replica.version),
        state: encodeState(replica.state),
        leader: replica.state === "active" && replica.version >= headVersion,
        live: replica.live,
        lastError: replica.lastError ?? "",
        updatedAt: toTimestamp(replica.updatedAt),
      })),
      writer: writer && encodeWrite(writer),
    };
  };
