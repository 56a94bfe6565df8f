import type { DeviceDetails } from "../../generated/lockstep/v1/DeviceDetails.ts";
import type { GetDeviceRequest__Output as Request } from "../../generated/lockstep/v1/GetDeviceRequest.ts";
import type { GetDeviceResponse as Response } from "../../generated/lockstep/v1/GetDeviceResponse.ts";
import { deviceName } from "../../names.ts";
import { findDevice, readRemainder } from "../../store/device/devices.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { encodeDeviceDetails } from "../encode/encode-device.ts";

const LISTED = 100;

export const getDevice =
  (context: Pick<SyncContext, "db">) =>
  async (request: Request): Promise<Response> => ({
    device: await detailsOf(context, deviceName(request.device)),
  });

/** Returns a device as the answers of all RPCs about one device have it. Throws DEVICE_NOT_FOUND. */
export async function detailsOf(context: Pick<SyncContext, "db">, name: string): Promise<DeviceDetails> {
  // The device first: after it drains, it only loses repositories.
  const device = await findDevice(context.db, name);
  return encodeDeviceDetails(device, await readRemainder(context.db, name, LISTED));
}
