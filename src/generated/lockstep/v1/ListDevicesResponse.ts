// Original file: proto/lockstep/v1/cluster.proto

import type { Device as _lockstep_v1_Device, Device__Output as _lockstep_v1_Device__Output } from '../../lockstep/v1/Device.ts';

export interface ListDevicesResponse {
  'devices'?: (_lockstep_v1_Device)[];
}

export interface ListDevicesResponse__Output {
  'devices': (_lockstep_v1_Device__Output)[];
}
