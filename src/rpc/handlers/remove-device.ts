import type { RemoveDeviceRequest__Output as Request } from "../../generated/lockstep/v1/RemoveDeviceRequest.ts";
import type { RemoveDeviceResponse as Response } from "../../generated/lockstep/v1/RemoveDeviceResponse.ts";
import { deviceName } from "../../names.ts";
import { removeDevice as remove } from "../../store/device/devices.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { authorAndReason } from "../call/author-and-reason.ts";
import type { CallContext } from "../call/call.ts";
import { detailsOf } from "./get-device.ts";

export const removeDevice =
  (context: Pick<SyncContext, "db">) =>
  async (request: Request, { caller }: CallContext): Promise<Response> => {
    const name = deviceName(request.device);
    await remove(context.db, name, authorAndReason({ author: request.author }, caller).author);
    return { device: await detailsOf(context, name) };
  };
