import type { ListHooksResponse as Response } from "../../generated/lockstep/v1/ListHooksResponse.ts";
import { listHooks as list } from "../../store/watch/hooks.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { encodeHook } from "../encode/encode-hook.ts";

export const listHooks = (context: SyncContext) => async (): Promise<Response> => ({
  hooks: (await list(context.db)).map(encodeHook),
});
