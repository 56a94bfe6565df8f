// Original file: proto/lockstep/v1/cluster.proto

import type { RefOnDevice as _lockstep_v1_RefOnDevice, RefOnDevice__Output as _lockstep_v1_RefOnDevice__Output } from '../../lockstep/v1/RefOnDevice.ts';

export interface RefOnDevices {
  'ref'?: (string);
  'values'?: (_lockstep_v1_RefOnDevice)[];
}

export interface RefOnDevices__Output {
  'ref': (string);
  'values': (_lockstep_v1_RefOnDevice__Output)[];
}
