// Original file: proto/lockstep/v1/cluster.proto

import type { DeviceDetails as _lockstep_v1_DeviceDetails, DeviceDetails__Output as _lockstep_v1_DeviceDetails__Output } from '../../lockstep/v1/DeviceDetails.ts';

export interface DrainDeviceResponse {
  'device'?: (_lockstep_v1_DeviceDetails | null);
}

export interface DrainDeviceResponse__Output {
  'device': (_lockstep_v1_DeviceDetails__Output | null);
}
