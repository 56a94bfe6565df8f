import { repositoryName } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import type { GetWriteRequest__Output as Request } from "../../generated/lockstep/v1/GetWriteRequest.ts";
import type { GetWriteResponse as Response } from "../../generated/lockstep/v1/GetWriteResponse.ts";
import { getWrite as readWrite } from "../../store/writes.ts";
import type { SyncContext } from "../../sync/context.ts";
import { encodeWrite } from "../encode.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const getWrite =
  (context: SyncContext) =>
  async (request: Request): Promise<Response> => {
    const repository = repositoryName(request.repository);
    if (!UUID.test(request.writeId)) throw new LockstepError("INVALID_REQUEST", "A write id is a UUID in lower case.");
    return { write: encodeWrite(await readWrite(context.db, repository, request.writeId)) };
  };
