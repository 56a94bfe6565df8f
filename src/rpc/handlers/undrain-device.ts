import type { UndrainDeviceRequest__Output as Request } from "../../generated/lockstep/v1/UndrainDeviceRequest.ts";
import type { UndrainDeviceResponse as Response } from "../../generated/lockstep/v1/UndrainDeviceResponse.ts";
import { deviceName } from "../../names.ts";
import { undrainDevice as undrain } from "../../store/device/devices.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { authorAndReason } from "../call/author-and-reason.ts";
import type { CallContext } from "../call/call.ts";
import { detailsOf } from "./get-device.ts";

export const undrainDevice =
  (context: Pick<SyncContext, "db">) =>
  async (request: Request, { caller }: CallContext): Promise<Response> => {
    const name = deviceName(request.device);
    await undrain(context.db, name, authorAndReason({ author: request.author }, caller).author);
    return { device: await detailsOf(context, name) };
  };
