// Original file: proto/lockstep/v1/cluster.proto

import type { RefOnDevices as _lockstep_v1_RefOnDevices, RefOnDevices__Output as _lockstep_v1_RefOnDevices__Output } from '../../lockstep/v1/RefOnDevices.ts';

export interface RefusedRepository {
  'repository'?: (string);
  'reason'?: (string);
  'differences'?: (_lockstep_v1_RefOnDevices)[];
}

export interface RefusedRepository__Output {
  'repository': (string);
  'reason': (string);
  'differences': (_lockstep_v1_RefOnDevices__Output)[];
}
