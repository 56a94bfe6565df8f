import type { CreateRepositoryRequest__Output as Request } from "../../generated/lockstep/v1/CreateRepositoryRequest.ts";
import type { CreateRepositoryResponse as Response } from "../../generated/lockstep/v1/CreateRepositoryResponse.ts";
import { findRepository } from "../../store/repository/repositories.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { createRepository as create } from "../../sync/operator/create-repository.ts";
import type { CallContext } from "../call/call.ts";
import { encodeRepository } from "../encode/encode.ts";

export const createRepository =
  (context: SyncContext) =>
  async (request: Request, { signal }: CallContext): Promise<Response> => {
    const created = await create(context, request, signal);
    return { repository: encodeRepository(await findRepository(context.db, created.name)) };
  };
