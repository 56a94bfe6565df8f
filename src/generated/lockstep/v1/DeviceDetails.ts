// Original file: proto/lockstep/v1/cluster.proto

import type { Device as _lockstep_v1_Device, Device__Output as _lockstep_v1_Device__Output } from '../../lockstep/v1/Device.ts';
import type { Long } from '@grpc/proto-loader';

export interface DeviceDetails {
  'device'?: (_lockstep_v1_Device | null);
  'onlyHere'?: (string)[];
  'moreOnlyHere'?: (number | string | Long);
  'writing'?: (number);
  'drained'?: (boolean);
}

export interface DeviceDetails__Output {
  'device': (_lockstep_v1_Device__Output | null);
  'onlyHere': (string)[];
  'moreOnlyHere': (string);
  'writing': (number);
  'drained': (boolean);
}
