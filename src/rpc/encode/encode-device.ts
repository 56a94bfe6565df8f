// Converts devices to messages of the protocol.
import { toTimestamp } from "../../protocol/times.ts";
import type { Device, Remainder } from "../../store/device/devices.ts";

/** Returns a device as the protocol has it. */
export function encodeDevice(device: Device) {
  const { name, live, zone, grpcAddress, gitAddress, sshAddress, sshUser, writes, placing } = device;
  return {
    ...{ name, live, zone, grpcAddress, gitAddress, sshAddress, sshUser, writes, placing },
    startedAt: toTimestamp(device.startedAt),
    awaySince: toTimestamp(device.awaySince),
    drainingSince: toTimestamp(device.drainingSince),
    removedAt: toTimestamp(device.removedAt),
    replicas: String(device.replicas),
    missing: String(device.missing),
    openCommands: String(device.openCommands),
    disk: device.room && {
      freeBytes: String(BigInt(device.room.freeBytes)),
      sizeBytes: String(BigInt(device.room.sizeBytes)),
    },
  };
}

/** Returns a device as the protocol has it, with all that keeps it from being removed. */
export function encodeDeviceDetails(device: Device, { onlyHere, moreOnlyHere, writing }: Remainder) {
  return {
    device: encodeDevice(device),
    onlyHere,
    moreOnlyHere: String(moreOnlyHere),
    writing,
    drained: device.drainingSince !== null && onlyHere.length === 0 && writing === 0,
  };
}
