// Original file: proto/lockstep/v1/cluster.proto

import type { WriteLock as _lockstep_v1_WriteLock, WriteLock__Output as _lockstep_v1_WriteLock__Output } from '../../lockstep/v1/WriteLock.ts';

export interface AllowWritesResponse {
  'remaining'?: (_lockstep_v1_WriteLock)[];
}

export interface AllowWritesResponse__Output {
  'remaining': (_lockstep_v1_WriteLock__Output)[];
}
