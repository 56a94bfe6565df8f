import type { ListThawableRequest__Output as Request } from "../../generated/lockstep/v1/ListThawableRequest.ts";
import type { ListThawableResponse as Response } from "../../generated/lockstep/v1/ListThawableResponse.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { listThawable as list } from "../../sync/operator/list-thawable.ts";
import { actionOf } from "./thaw.ts";

export const listThawable =
  (context: SyncContext) =>
  async (request: Request): Promise<Response> => ({ repositories: await list(context, actionOf(request)) });
