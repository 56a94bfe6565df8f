import type { ListDevicesResponse as Response } from "../../generated/lockstep/v1/ListDevicesResponse.ts";
import { listDevices as list } from "../../store/device/devices.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { encodeDevice } from "../encode/encode-device.ts";

export const listDevices = (context: Pick<SyncContext, "db">) => async (): Promise<Response> => ({
  devices: (await list(context.db)).map(encodeDevice),
});
