// Original file: proto/lockstep/v1/cluster.proto

import type { StopWritesProgress as _lockstep_v1_StopWritesProgress, StopWritesProgress__Output as _lockstep_v1_StopWritesProgress__Output } from '../../lockstep/v1/StopWritesProgress.ts';
import type { StopWritesResult as _lockstep_v1_StopWritesResult, StopWritesResult__Output as _lockstep_v1_StopWritesResult__Output } from '../../lockstep/v1/StopWritesResult.ts';

export interface StopWritesResponse {
  'progress'?: (_lockstep_v1_StopWritesProgress | null);
  'result'?: (_lockstep_v1_StopWritesResult | null);
  'event'?: "progress"|"result";
}

export interface StopWritesResponse__Output {
  'progress'?: (_lockstep_v1_StopWritesProgress__Output | null);
  'result'?: (_lockstep_v1_StopWritesResult__Output | null);
  'event'?: "progress"|"result";
}
