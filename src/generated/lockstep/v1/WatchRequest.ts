// Original file: proto/lockstep/v1/cluster.proto

import type { Visible as _lockstep_v1_Visible, Visible__Output as _lockstep_v1_Visible__Output } from '../../lockstep/v1/Visible.ts';

export interface WatchRequest {
  'cursor'?: (string);
  'repositories'?: (string)[];
  'visible'?: (_lockstep_v1_Visible);
}

export interface WatchRequest__Output {
  'cursor': (string);
  'repositories': (string)[];
  'visible': (_lockstep_v1_Visible__Output);
}
