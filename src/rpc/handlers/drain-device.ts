import type { DrainDeviceRequest__Output as Request } from "../../generated/lockstep/v1/DrainDeviceRequest.ts";
import type { DrainDeviceResponse as Response } from "../../generated/lockstep/v1/DrainDeviceResponse.ts";
import { deviceName } from "../../names.ts";
import { drainDevice as drain } from "../../store/device/devices.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { authorAndReason } from "../call/author-and-reason.ts";
import type { CallContext } from "../call/call.ts";
import { detailsOf } from "./get-device.ts";

export const drainDevice =
  (context: Pick<SyncContext, "db">) =>
  async (request: Request, { caller }: CallContext): Promise<Response> => {
    const name = deviceName(request.device);
    await drain(context.db, name, authorAndReason({ author: request.author }, caller).author);
    return { device: await detailsOf(context, name) };
  };
