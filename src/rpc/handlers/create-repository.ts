import type { CreateRepositoryRequest__Output as Request } from "../../generated/lockstep/v1/CreateRepositoryRequest.ts";
import type { CreateRepositoryResponse as Response } from "../../generated/lockstep/v1/CreateRepositoryResponse.ts";
import type { SyncContext } from "../../sync/context.ts";
import { createRepository as create } from "../../sync/create-repository.ts";
import type { CallContext } from "../call.ts";

export const createRepository =
  (context: SyncContext) =>
  async (request: Request, { signal }: CallContext): Promise<Response> => {
    const created = await create(context, request, signal);
    return { repository: { name: created.name, headVersion: "0", objectFormat: created.objectFormat } };
  };
