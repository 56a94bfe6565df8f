// Original file: proto/lockstep/v1/cluster.proto

import type { LoggedPush as _lockstep_v1_LoggedPush, LoggedPush__Output as _lockstep_v1_LoggedPush__Output } from '../../lockstep/v1/LoggedPush.ts';

export interface ListPushesResponse {
  'pushes'?: (_lockstep_v1_LoggedPush)[];
}

export interface ListPushesResponse__Output {
  'pushes': (_lockstep_v1_LoggedPush__Output)[];
}
