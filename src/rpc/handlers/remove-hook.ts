import type { RemoveHookRequest__Output as Request } from "../../generated/lockstep/v1/RemoveHookRequest.ts";
import type { RemoveHookResponse as Response } from "../../generated/lockstep/v1/RemoveHookResponse.ts";
import { hookUrl } from "../../io/hook-url.ts";
import { deleteHook, findHook } from "../../store/watch/hooks.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import type { CallContext } from "../call/call.ts";
import { encodeHook } from "../encode/encode-hook.ts";

export const removeHook =
  (context: SyncContext) =>
  async (request: Request, { caller }: CallContext): Promise<Response> => {
    const hook = await findHook(context.db, URL.canParse(request.hook) ? hookUrl(request.hook) : request.hook);
    await deleteHook(context.db, hook.id, `${caller.role} ${caller.name}`);
    return { hook: encodeHook(hook) };
  };
