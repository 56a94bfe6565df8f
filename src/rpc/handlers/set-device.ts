import type { SetDeviceRequest__Output as Request } from "../../generated/lockstep/v1/SetDeviceRequest.ts";
import type { SetDeviceResponse as Response } from "../../generated/lockstep/v1/SetDeviceResponse.ts";
import { deviceName } from "../../names.ts";
import { setDeviceWrites } from "../../store/device/devices.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { authorAndReason } from "../call/author-and-reason.ts";
import type { CallContext } from "../call/call.ts";
import { detailsOf } from "./get-device.ts";

export const setDevice =
  (context: Pick<SyncContext, "db">) =>
  async (request: Request, { caller }: CallContext): Promise<Response> => {
    const name = deviceName(request.device);
    const { author } = authorAndReason({ author: request.author }, caller);
    if (request.writes !== undefined) await setDeviceWrites(context.db, name, request.writes, author);
    return { device: await detailsOf(context, name) };
  };
