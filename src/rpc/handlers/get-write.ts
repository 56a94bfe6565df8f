import type { GetWriteRequest__Output as Request } from "../../generated/lockstep/v1/GetWriteRequest.ts";
import type { GetWriteResponse as Response } from "../../generated/lockstep/v1/GetWriteResponse.ts";
import { repositoryName } from "../../names.ts";
import { getWrite as readWrite } from "../../store/write/find-write.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { encodeWrite } from "../encode/encode.ts";
import { writeIdOf } from "../encode/request-ids.ts";

export const getWrite =
  (context: SyncContext) =>
  async (request: Request): Promise<Response> => {
    const repository = repositoryName(request.repository);
    return { write: encodeWrite(await readWrite(context.db, repository, writeIdOf(request.writeId))) };
  };
