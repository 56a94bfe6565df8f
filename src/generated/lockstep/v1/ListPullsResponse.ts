// Original file: proto/lockstep/v1/cluster.proto

import type { LoggedPull as _lockstep_v1_LoggedPull, LoggedPull__Output as _lockstep_v1_LoggedPull__Output } from '../../lockstep/v1/LoggedPull.ts';

export interface ListPullsResponse {
  'pulls'?: (_lockstep_v1_LoggedPull)[];
}

export interface ListPullsResponse__Output {
  'pulls': (_lockstep_v1_LoggedPull__Output)[];
}
